"""The vectors follow the contract: Python, which needs nothing built, runs them every day.

`make test-polyglot` has the other languages.
"""

from __future__ import annotations

from pathlib import Path

from tests.polyglot.languages import LANGUAGES, exercise
from tests.polyglot.world import serve


def test_python_passes_every_vector(tmp_path: Path) -> None:
    python = next(language for language in LANGUAGES if language.name == "python")

    with serve(tmp_path / "plain", tls=False) as server:
        exercise(python, [server])  # it raises of a vector that does not hold
