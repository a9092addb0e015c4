"""The wheel, made from what the image is made from, and a server that runs from it alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.deploy_files import (
    BIN,
    ROOT,
    RUN_SECONDS,
    copied,
    environment,
    health_command,
    image_variables,
    instruction,
    run,
)

pytestmark = pytest.mark.xdist_group("wheel")  # made once

PACKAGES: Final = {"symphony", "symphony_client", "symphony_command", "symphony_server", "buf"}
LIBRARIES: Final = ("symphony", "symphony_client", "symphony_server")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as the Dockerfile does, without another network: hatchling is installed already."""
    context = tmp_path_factory.mktemp("context")
    for source in copied():
        if (ROOT / source).is_dir():
            unneeded = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, context / source, ignore=unneeded)
        else:
            (context / source).parent.mkdir(exist_ok=True)
            shutil.copyfile(ROOT / source, context / source)
    out = tmp_path_factory.mktemp("wheels")
    done = run(
        *(BIN / "uv", "build", "--offline", "--no-build-isolation", "--python", sys.executable),
        *("--wheel", "--out-dir", out, context),
    )
    assert done.returncode == 0, done.stderr
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the wheel and nothing else, to be put before all others."""
    folder = tmp_path_factory.mktemp("installed")
    done = run(
        *(BIN / "uv", "pip", "install", "--offline", "--no-deps", "--python", sys.executable),
        *("--target", folder, wheel),
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def as_in_the_image(installed: Path, tmp_path: Path) -> dict[str, str]:
    """The image's variables, with the volume in a directory of the test's own."""
    volume = instruction("VOLUME")
    moved = {k: v.replace(volume, str(tmp_path)) for k, v in image_variables().items()}
    return {**moved, "PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(installed)}


def program(installed: Path) -> list[str | Path]:
    """What the image runs."""
    (entry,), arguments = (json.loads(instruction(name)) for name in ("ENTRYPOINT", "CMD"))
    return [installed / "bin" / entry, *arguments]


def test_the_wheel_has_the_packages_and_nothing_else_at_the_top(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name) for name in archive.namelist()]
    assert {n.parts[0] for n in names if not n.parts[0].endswith(".dist-info")} == PACKAGES
    assert {Path(name, "py.typed") for name in LIBRARIES} <= {*names}


def test_the_wheel_has_the_contract_with_its_comments(installed: Path) -> None:
    code = (
        "from symphony.v1 import error_reason_pb2 as e; from symphony_server.rpc import reflection;"
        "from google.protobuf.descriptor_pb2 import FileDescriptorProto as F; f = F();"
        "reflection._Symbols().FindFileByName(e.DESCRIPTOR.name).CopyToProto(f);"
        "print(len(f.source_code_info.location) > 0)"
    )
    assert run(sys.executable, "-c", code, PYTHONPATH=str(installed)).stdout == "True\n"


def test_what_is_imported_is_the_wheel(installed: Path) -> None:
    packages = sorted(PACKAGES - {"buf"})
    code = f"import {', '.join(packages)}\nfor p in ({', '.join(packages)}): print(p.__path__[0])"
    done = run(sys.executable, "-c", code, PYTHONPATH=str(installed))
    assert done.stdout.split() == [str(installed / package) for package in packages], done.stderr


def test_the_image_serves_nobody_else_before_it_is_told_how(
    installed: Path, as_in_the_image: dict[str, str]
) -> None:
    done = run(*program(installed), **as_in_the_image)
    assert done.returncode == 2
    assert "--tls-cert" in done.stderr
    assert "--insecure" in done.stderr


def test_what_the_image_runs_serves_is_healthy_and_stops_by_its_signal(
    installed: Path, as_in_the_image: dict[str, str], tmp_path: Path
) -> None:
    variables = {
        **as_in_the_image,
        "SYMPHONY_LISTEN": "127.0.0.1:0",
        "SYMPHONY_BOOTSTRAP_ADMIN": "you@example.com",
    }
    with subprocess.Popen(
        program(installed), env=environment(**variables), stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            listen = server.stdout.readline().split()[-1]
            health = run(*health_command(), SYMPHONY_LISTEN=listen)
            server.send_signal(signal.Signals[instruction("STOPSIGNAL")])
            code = server.wait(RUN_SECONDS)
        finally:
            server.kill()
    assert (health.stdout, health.returncode, code) == ("SERVING\n", 0, 0)
    assert sorted(p.name for p in tmp_path.glob("*.token")) == ["admin.token"]
    assert list(tmp_path.glob("*.db"))
