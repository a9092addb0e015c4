"""Runs the vectors with each language: `python -m tests.polyglot [LANGUAGE…]`.

A language whose tools are missing is named and skipped; with CI set in the environment it fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.polyglot.languages import LANGUAGES, Broken, Language, exercise
from tests.polyglot.world import serve


def main() -> int:
    """Returns the exit status."""
    names = [language.name for language in LANGUAGES]
    parser = argparse.ArgumentParser(prog="python -m tests.polyglot", description=__doc__)
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=", ".join(names))
    asked = parser.parse_args().languages or names
    if unknown := set(asked).difference(names):
        parser.error(f"not a language here: {', '.join(sorted(unknown))}")

    outcomes = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            serve(Path(folder, "plain"), tls=False) as plain,
            serve(Path(folder, "tls"), tls=True) as tls,
        ):
            for language in LANGUAGES:
                if language.name in asked:
                    outcomes[attempt(language, [plain, tls])] += 1
    except Broken as error:
        outcomes["failed"] += 1
        print(f"servers    failed: {error}")
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()))
    return 1 if outcomes["failed"] else 0


def attempt(language: Language, servers: Sequence[dict[str, str]]) -> str:
    """Build and run one language and say how it went; returns passed, failed or skipped."""
    outcome, words = "failed", ""
    if tool := language.missing_tool():
        words = f"there is no {tool} on this machine"
        outcome = "failed" if os.environ.get("CI") else "skipped"
    else:
        try:
            words = exercise(language, servers)
            outcome = "passed"
        except Broken as error:
            words = str(error)
    print(f"{language.name:10} {outcome}: {words}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
