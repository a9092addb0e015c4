"""The targets: what is fed bytes, each a module of `targets/` with its seeds in `corpus/`.

A target's `try_one(data)` returns where all is well and raises whatever is wrong; `MAX_BYTES` is
how many bytes are worth trying.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CORPUS: Final = HERE / "corpus"
NAMES: Final = tuple(sorted(path.stem for path in (HERE / "targets").glob("*.py")))


@dataclass(frozen=True)
class Target:
    """One target."""

    name: str
    try_one: Callable[[bytes], None]
    max_bytes: int

    @property
    def seeds(self) -> list[Path]:
        """The files to begin with."""
        return seeds_of(self.name)


def seeds_of(name: str) -> list[Path]:
    """The files of a target's corpus, in order."""
    return sorted((CORPUS / name).iterdir())


def load(name: str) -> Target:
    """The target with a name."""
    module = importlib.import_module(f"tests.fuzz.targets.{name}")
    return Target(name, module.try_one, module.MAX_BYTES)
