"""System calls of a running process that fail, by strace, whose log proves it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

WAIT_SECONDS: Final = 30
_INJECTED: Final = re.compile(r"(\w+)\(\d+<([^>]*)>(?:.*, (\d+), \d+)?.* = -1 (\w+) .*\(INJECTED\)")


class Fired(NamedTuple):
    """A call that failed because it was made to."""

    call: str
    path: str
    length: int | None
    """Bytes that were to be written there."""
    error: str


def cannot_inject() -> str:
    """Why no system call can be made to fail here, in a line; empty where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed; it is what lets system calls fail"
    done = subprocess.run(
        ["strace", "-o", "/dev/null", sys.executable, "-S", "-c", ""],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()}"


class FailingCalls:
    """Lets calls of a process fail, from the n-th on or only that, while a `with` block lasts.

    Calls are counted from the start of the block, thread by thread. With paths, only those count
    that have to do with one of these files.
    """

    def __init__(
        self,
        pid: int,
        call: str,
        error: str,
        when: str,
        log: Path,
        paths: Sequence[Path] = (),
    ) -> None:
        """Take `when` as strace has it: `3` is the third call, `3+` the third and all after."""
        files = (f"--trace-path={path.resolve()}" for path in paths)
        self._command = ["strace", "--follow-forks", "--decode-fds=path", f"--output={log}"]
        self._command += [*files, f"--trace={call}", f"--inject={call}:error={error}:when={when}"]
        self._command += [f"--attach={pid}"]
        self._log = log

    @property
    def fired(self) -> list[Fired]:
        """The calls that failed so far; all of them once the block is left."""
        return [
            Fired(call, path, int(length) if length else None, error)
            for call, path, length, error in _INJECTED.findall(self._log.read_text())
        ]

    def __enter__(self) -> Self:
        """Begin; returns when every thread is under way."""
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._strace.stderr is not None
        said = self._strace.stderr.readline()
        if "attached" not in said:
            self._strace.wait(WAIT_SECONDS)
            raise RuntimeError(f"strace: {said}{self._strace.stderr.read()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the calls succeed again."""
        self._strace.send_signal(signal.SIGINT)
        self._strace.wait(WAIT_SECONDS)
        assert self._strace.stderr is not None
        self._strace.stderr.close()
