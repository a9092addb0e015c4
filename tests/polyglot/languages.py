"""The languages: what each needs on the machine, how it is built, and what it is run with."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.processes import BIN, environment

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = Path(__file__).parent
VECTORS: Final = SOURCES / "vectors"
BUILDS: Final = ROOT / "build" / "polyglot"
"""As deep below the root as the sources, so that their relative paths hold in it too."""
BUILD_SECONDS: Final = 1200
RUN_SECONDS: Final = 180

Command = Sequence[str]


class Broken(Exception):
    """A command did not do what it should; its output is the message."""


@dataclass(frozen=True)
class Language:
    """How to build and run one folder."""

    name: str
    tools: Sequence[str] = ()
    build: Sequence[Command] = ()
    program: Command = ()

    @property
    def directory(self) -> Path:
        return BUILDS / self.name

    def missing_tool(self) -> str | None:
        return next((tool for tool in self.tools if not shutil.which(tool)), None)

    def prepare(self) -> None:
        """Build it in a copy of its folder, unless nothing has changed since that was last done."""
        if not self.build:
            return
        digest = hashlib.sha256((ROOT / "generated" / "symphony.binpb").read_bytes())
        sources = _sources(SOURCES / self.name)
        for file in sources:
            digest.update(f"{file} {len(sources[file])}\n".encode() + sources[file])
        stamp = self.directory / ".built"
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        stamp.unlink(missing_ok=True)
        for file, content in sources.items():
            copy = self.directory / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists() or copy.read_bytes() != content:  # or it would be compiled again
                copy.write_bytes(content)
        for command in self.build:
            run("nice", *command, cwd=self.directory, seconds=BUILD_SECONDS, **_compiler())
        stamp.write_text(digest.hexdigest())

    def run(self, *arguments: str, variables: dict[str, str]) -> str:
        """Run its program and return what it said."""
        where = self.directory if self.build else ROOT
        return run(*self.program, *arguments, cwd=where, seconds=RUN_SECONDS, **variables)


def exercise(language: Language, servers: Sequence[dict[str, str]]) -> str:
    """The quick start as a person runs it, and every vector against every server."""
    wanted = len(list(VECTORS.glob("*.json")))
    start = time.perf_counter()
    language.prepare()
    built = time.perf_counter()
    for server in servers:
        language.run(variables=server)
        said = language.run(str(VECTORS), variables=server)
        # Its own word for success is not enough: it must have found the whole folder.
        if not re.search(rf"^{wanted} passed, 0 failed$", said, re.M):
            raise Broken(f"{wanted} vectors should have passed:\n{said}")
    ended = time.perf_counter()
    took = f"in {ended - built:.1f} s (built in {built - start:.1f} s)"
    return f"{wanted} vectors against each of {len(servers)} servers, {took}"


def run(*command: str, cwd: Path, seconds: float, **variables: str) -> str:
    """Run a command to its end and return its standard output.

    Raises:
        Broken: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode(errors="replace")  # bytes, whatever was asked for
        raise Broken(f"{' '.join(command)}: not done after {seconds} s\n{said}") from None
    if done.returncode:
        raise Broken(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def _compiler() -> dict[str, str]:
    """The protoc that a Rust crate's build asks for: grpcio-tools has one, if nobody else has."""
    return {} if shutil.which("protoc") else {"PROTOC": str(BIN / "python-grpc-tools-protoc")}


def _sources(folder: Path) -> dict[Path, bytes]:
    """The files of a folder, without what a build by hand left there."""
    left = (folder / ".gitignore").read_text().split() if (folder / ".gitignore").exists() else []
    built = {folder / name.strip("/") for name in left}
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        file.relative_to(folder): file.read_bytes()
        for file in files
        if not built.intersection((file, *file.parents))
    }


LANGUAGES: Final = (
    Language("python", program=(sys.executable, "-m", "tests.polyglot.python.quick_start")),
    Language(
        "go",
        tools=("go",),
        build=(("buf", "generate"), ("go", "build", ".")),
        program=("./quickstart",),
    ),
    Language(
        "typescript",
        tools=("node", "npm"),
        build=(("npm", "ci", "--no-audit", "--no-fund"), ("npm", "run", "build")),
        program=("node", "dist/src/quick_start.js"),
    ),
    Language(
        "java",
        tools=("javac", "mvn"),
        build=(("mvn", "--batch-mode", "--quiet", "package"),),
        program=("java", "-jar", "target/quick-start.jar"),
    ),
    Language(
        "rust",
        tools=("cargo",),
        build=(("cargo", "build", "--locked", "--quiet"),),
        program=("target/debug/quick-start",),
    ),
)
