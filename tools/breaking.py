"""Runs `buf breaking` on the contract: `python tools/breaking.py`.

Compared are `generated/symphony.binpb` in the work tree and the same file on `main`. A clone of
`main` itself, as in CI, would only be compared with itself; there, and wherever both are the same,
the version before it in the history takes its place. Without any older version it says so and
passes. `BREAKING_AGAINST=REF` names another one to compare with, a release's tag for example.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTOR_SET = "generated/symphony.binpb"
BUF = Path(sysconfig.get_path("scripts")) / "buf"


def main() -> int:
    """Returns the exit status: buf's, or 0 when there is nothing to compare with."""
    current = (ROOT / DESCRIPTOR_SET).read_bytes()
    for ref in older_refs():
        previous = git("show", f"{ref}:{DESCRIPTOR_SET}")
        if previous and previous != current:
            print(f"contract compared with {ref}")
            return buf_breaking(previous)
    print("contract not compared: no other version of it is in the history")
    return 0


def older_refs() -> list[str]:
    """Returns the git refs that may hold an older contract, the wanted one first."""
    if named := os.environ.get("BREAKING_AGAINST"):
        if not git("rev-parse", "--verify", "--quiet", f"{named}:{DESCRIPTOR_SET}"):
            raise SystemExit(f"BREAKING_AGAINST: {DESCRIPTOR_SET} is not in {named}")
        return [named]
    history = git("log", "-2", "--format=%H", "--", DESCRIPTOR_SET).decode().split()
    return ["origin/main", "main", *history]


def buf_breaking(previous: bytes) -> int:
    """Returns buf's exit status; buf prints what breaks."""
    with tempfile.TemporaryDirectory() as folder:
        against = Path(folder) / "previous.binpb"
        against.write_bytes(previous)
        command = [str(BUF), "breaking", DESCRIPTOR_SET, "--against", str(against)]
        return subprocess.run(command, check=False, cwd=ROOT).returncode


def git(*arguments: str) -> bytes:
    """Returns what git prints, or nothing when it fails (no such ref, no history, no git)."""
    try:
        done = subprocess.run(["git", *arguments], check=False, cwd=ROOT, capture_output=True)
    except FileNotFoundError:
        return b""
    return b"" if done.returncode else done.stdout


if __name__ == "__main__":
    sys.exit(main())
