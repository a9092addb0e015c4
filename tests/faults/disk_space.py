"""Two ways to take a server the space that it writes to, and to give it back."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

ROOM: Final = 1 << 30
BLOCK: Final = 4096


class Space(Protocol):
    """The space of one server's database."""

    def take(self, pid: int) -> None:
        """Leave a process next to no more than it has written."""

    def give_back(self, pid: int) -> None:
        """Give it room."""


class SmallDisk:
    """A file system in memory, all of the server's files on it, that shrinks and grows."""

    def __init__(self, directory: Path) -> None:
        """Take a directory that `mounted` has mounted one at."""
        self._directory = directory

    def take(self, _: int) -> None:
        """See `Space`."""
        while True:
            used = shutil.disk_usage(self._directory).used
            try:
                self._resize(used + 16 * BLOCK)
            except subprocess.CalledProcessError:
                # More than that was written meanwhile, unless it was not.
                if shutil.disk_usage(self._directory).used <= used + 16 * BLOCK:
                    raise
            else:
                return

    def give_back(self, _: int) -> None:
        """See `Space`."""
        self._resize(ROOM)

    def _resize(self, size: int) -> None:
        _run("mount", "--options", f"remount,size={size}", str(self._directory))


class SizeLimit:
    """A limit to the size of every file that a process writes (RLIMIT_FSIZE): for any user."""

    def __init__(self, file: Path) -> None:
        """Take the file that grows first."""
        self._file = file

    def take(self, pid: int) -> None:
        """See `Space`."""
        size = self._file.stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def give_back(self, pid: int) -> None:
        """See `Space`."""
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


@contextmanager
def mounted(directory: Path) -> Iterator[SmallDisk | None]:
    """A small disk at the directory; None where there is no right to mount one."""
    if os.geteuid() or not shutil.which("mount"):
        yield None
        return
    try:
        _run("mount", "--types", "tmpfs", "--options", f"size={ROOM}", "tmpfs", str(directory))
    except subprocess.CalledProcessError:
        yield None
        return
    try:
        yield SmallDisk(directory)
    finally:
        _run("umount", str(directory))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
