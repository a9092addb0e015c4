"""The tutorial and the guides do what they say: each is followed from first block to last."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Reader, blocks, follow, matches
from tests.e2e.processes import bare_environment

DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"
GUIDES = sorted((DOCS / "guides").glob("*.md"))
FOLLOWED = [page for page in (TUTORIAL, *GUIDES) if any(blocks(page))]
REPOSITORY = "https://example.com/symphony.git"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.stem)
def test_a_page_is_followed_and_shows_what_it_promises(page: Path, tmp_path: Path) -> None:
    follow(page, tmp_path)


def test_the_page_about_the_client_is_followed(tmp_path: Path) -> None:
    """Its program takes the server and the token from the environment, as any program does."""
    follow(DOCS / "client.md", tmp_path, with_token=True)


def test_make_run_is_what_the_pages_are_followed_with() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^run: .*\n\t@exec \$\(BIN\)/symphony serve --dev$", makefile, re.M)


@pytest.mark.skipif(not os.environ.get("CI"), reason="installs everything anew: where CI is set")
@pytest.mark.timeout(900)
def test_a_newcomer_gets_from_nothing_to_the_end_of_the_tutorial(tmp_path: Path) -> None:
    page = tmp_path / TUTORIAL.name
    page.write_text(TUTORIAL.read_text().replace(REPOSITORY, str(ROOT)))
    home = tmp_path / "home"
    home.mkdir()
    variables = {
        **_without_the_virtual_environment(bare_environment()),
        "XDG_CONFIG_HOME": str(home),
        "COLUMNS": "120",
    }
    with Reader(home, variables, from_nothing=True) as reader:
        reader.follow(page)
    assert (home / "symphony" / ".venv").is_dir()


def _without_the_virtual_environment(variables: dict[str, str]) -> dict[str, str]:
    """A shell's variables on a machine where make has not been called yet."""
    kept = {
        name: value
        for name, value in variables.items()
        if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MAKELEVEL"}
    }
    assert shutil.which("symphony", path=kept["PATH"]) is None
    return kept


class TestMatching:
    """Of what is shown, and what a page says of it."""

    @pytest.mark.parametrize(
        ("expected", "shown"),
        [
            ("made project_…", "made project_01m8"),
            ("a  b", "a  b   \n\n"),
            ("…\nlast", "first\nsecond\nlast"),
            ("first\n…", "first"),
            ("first\n…\nlast", "first\nlast"),
            ("(1) [a]", "(1) [a]"),
        ],
    )
    def test_what_may_differ_may_differ(self, expected: str, shown: str) -> None:
        assert matches(expected, shown)

    @pytest.mark.parametrize(
        ("expected", "shown"),
        [
            ("made project_…", "made workflow_01m8"),
            ("first", "first\nsecond"),
            ("first\nsecond", "first"),
            ("one … three", "one\nthree"),
            ("a b", "a  b"),
        ],
    )
    def test_what_may_not_may_not(self, expected: str, shown: str) -> None:
        assert not matches(expected, shown)


class TestReadingAPage:
    """Blocks are not passed over unnoticed."""

    def page(self, tmp_path: Path, text: str) -> Path:
        page = tmp_path / "page.md"
        page.write_text(text)
        return page

    def test_a_block_that_nobody_could_follow_is_a_mistake(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="nobody can tell"):
            list(blocks(self.page(tmp_path, "```yaml\na: b\n```\n")))

    def test_a_block_without_a_language_is_a_mistake(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="can be followed"):
            list(blocks(self.page(tmp_path, "```\necho\n```\n")))

    def test_a_command_that_fails_is_told_with_its_place(self, tmp_path: Path) -> None:
        page = self.page(tmp_path, "# Title\n\n```sh\nfalse\ntrue\n```\n")
        with (
            Reader(tmp_path, dict(os.environ)) as reader,
            pytest.raises(AssertionError, match=r"page\.md:3: exit code 1"),
        ):
            reader.follow(page)

    def test_a_wrong_output_is_told(self, tmp_path: Path) -> None:
        page = self.page(tmp_path, "```sh\necho one\n```\n\n```text\ntwo\n```\n")
        with (
            Reader(tmp_path, dict(os.environ)) as reader,
            pytest.raises(AssertionError, match="the page shows\ntwo"),
        ):
            reader.follow(page)
