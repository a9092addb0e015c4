"""Writes `constraints.txt`: `python tools/lock.py`.

The newest versions that `pyproject.toml` allows and that install together, for every platform and
each Python from the oldest one supported, direct and indirect requirements of all extras alike.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sysconfig.get_path("scripts")) / "uv"
HEADER = """\
# The versions that are tested together. Made by `make lock` from pyproject.toml; not edited.
"""


def main() -> int:
    """Returns uv's exit status; the file stays as it was when uv fails."""
    options = ("--all-extras", "--universal", "--python-version=3.11", "--no-annotate")
    command = [str(UV), "pip", "compile", "pyproject.toml", *options, "--no-header", "--quiet"]
    done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if not done.returncode:
        (ROOT / "constraints.txt").write_text(HEADER + done.stdout, encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
