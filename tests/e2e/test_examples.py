"""Every example runs as it is, over a server in its own process, and prints what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import environment

EXAMPLES = Path(__file__).parents[2] / "examples"
PRINTED = {
    "create_workflow.py": [
        "fetch after nothing",
        "compile after fetch",
        "test after compile",
        "30 units, 0:00:15",
        "DUPLICATE_NAME: spec.name",
        "not even sent: spec.name:",
    ],
    "conductor.py": ["ada owns it: True", "steps: ['fetch', 'compile', 'test']", "bob cannot: "],
    "model_pool.py": ["large for 3 steps at once", "40 units in 0:00:10", "to allocate: True"],
    "install_extension.py": [
        "word-count 1.0.0 is installed",
        "SCAN_REJECTED ['",
        "not even sent: ",
    ],
    "transaction.py": [
        "DUPLICATE_NAME at operations[2].create_workflow.spec.name",
        "made nothing: True",
        "made ['project', 'workflow', 'workflow']",
    ],
    "hybrid_reads.py": ["reads its own write: True", "connected: True at a revision: True"],
    "unit_test.py": ["2 passed"],
}
"""Example → what its lines hold, in order."""


def test_every_example_is_run_and_listed() -> None:
    files = {path.name for path in EXAMPLES.glob("*.py")}
    assert files == set(PRINTED)
    readme = (EXAMPLES / "README.md").read_text()
    assert all(f"({name})" in readme for name in files)


@pytest.mark.parametrize("example", sorted(PRINTED))
def test_an_example_prints_what_it_promises(tmp_path: Path, example: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / example)],
        cwd=tmp_path,
        env={
            **environment(),
            "SYMPHONY_DATA_SOURCE": "local",
            "SYMPHONY_DATABASE_URL": f"sqlite:///{tmp_path / 'examples.db'}",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(PRINTED[example]), done.stdout
    for line, held in zip(lines, PRINTED[example], strict=True):
        assert held in line
