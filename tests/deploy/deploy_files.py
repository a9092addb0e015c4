"""What lies in `deploy/`, read for the tests."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from symphony_server.rpc.server import QUIET_SECONDS
from symphony_server.settings import Settings

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
BIN: Final = Path(sys.executable).parent
RUN_SECONDS: Final = 60


def texts() -> list[Path]:
    """Every file that is written by hand."""
    files = (file for file in sorted(DEPLOY.rglob("*")) if file.is_file())
    return [file for file in files if not {"secrets", "__pycache__"} & {*file.parts}]


def load(file: str) -> list[Any]:
    """The documents of a YAML file."""
    with (DEPLOY / file).open() as stream:
        return list(yaml.safe_load_all(stream))


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the virtual environment or the system, with just these settings."""
    return subprocess.run(
        [str(part) for part in command],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def environment(**variables: str) -> dict[str, str]:
    """The test's environment without settings of the service."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SYMPHONY_")}
    return {**clean, **variables}


def settings_of(variables: Mapping[str, str]) -> Settings:
    """The settings that a server has with these variables. Raises ValidationError."""
    given = {
        name.removeprefix("SYMPHONY_").lower(): value
        for name, value in variables.items()
        if name.startswith("SYMPHONY_")
    }
    return Settings(**given)  # type: ignore[arg-type] # as words, which is what they are


def stopping_seconds(settings: Settings) -> float:
    """The longest that a server takes to stop by itself."""
    return settings.drain_seconds + QUIET_SECONDS + settings.grace_seconds


@cache
def dockerfile() -> tuple[tuple[str, str], ...]:
    """The instructions of the Dockerfile, each with what follows it."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    pairs = (line.partition(" ") for line in lines if line)
    return tuple((name, " ".join(rest.split())) for name, _, rest in pairs)


def instruction(name: str) -> str:
    """The last such instruction's argument."""
    return [rest for found, rest in dockerfile() if found == name][-1]


def image_variables() -> dict[str, str]:
    """What the image sets."""
    words = shlex.split(instruction("ENV"))
    return dict(word.split("=", 1) for word in words)


def copied() -> dict[str, str]:
    """What is copied from the build context: source → the place in the image."""
    words = [rest.split() for name, rest in dockerfile() if name == "COPY"]
    return {s: line[-1] for line in words if "--from" not in line[0] for s in line[:-1]}


def health_command() -> list[str]:
    """The image's health check, by the files that the image has it from."""
    command: list[str] = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    sources = {place: source for source, place in copied().items()}
    files = [str(ROOT / sources[word]) if word in sources else word for word in command]
    assert files[0] == "python"
    return [sys.executable, *files[1:]]


def render(kustomization: str) -> list[dict[str, Any]]:
    """What `kubectl apply --kustomize` would apply, as kubectl makes it."""
    kubectl = shutil.which("kubectl")
    assert kubectl is not None
    done = run(kubectl, "kustomize", DEPLOY / kustomization)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def seconds(span: str) -> float:
    """The seconds of a time span such as 20s, 1m or 30."""
    number, unit = re.fullmatch(r"(\d+)(s|m|)", span.strip()).groups()  # type: ignore[union-attr]
    return float(number) * (60 if unit == "m" else 1)
