"""The threat model names for each threat the tests that show what stops it: they are there."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "security.md"
THREATS = re.findall(r"^\| to (.+?) \| (.+?) \| (.+) \|$", PAGE.read_text(), re.M)
NAMED = sorted(set(re.findall(r"\[(test_\w+)\]\(([^)]+)\)", PAGE.read_text())))


@pytest.mark.parametrize(("name", "path"), NAMED)
def test_a_test_that_is_named_is_there(name: str, path: str) -> None:
    file = (PAGE.parent / path).resolve()
    assert file.is_relative_to(ROOT / "tests")
    assert re.search(rf"^ *(?:async )?def {name}\(", file.read_text(), re.M)


@pytest.mark.parametrize(("wanted", "stops", "shown"), THREATS, ids=lambda part: part[:30])
def test_each_threat_is_stopped_by_something_that_is_shown(
    wanted: str, stops: str, shown: str
) -> None:
    assert wanted
    assert stops
    links = shown.split(", ")
    assert all(re.fullmatch(r"\[test_\w+\]\(\.\./tests/[\w/]+\.py\)", link) for link in links)


def test_the_table_is_read_whole() -> None:
    """A row that is written otherwise would be passed over."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| to ")]
    assert len(rows) == len(THREATS) >= 20
