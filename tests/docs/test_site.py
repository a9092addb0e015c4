"""The site builds without a warning, leaves out no page, and fetches nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.e2e.processes import environment

INSTALLED = importlib.util.find_spec("mkdocs") and importlib.util.find_spec("material")
CI = bool(os.environ.get("CI"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not INSTALLED and not CI:
        pytest.skip("mkdocs-material is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=environment(NO_MKDOCS_2_WARNING="1"),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.mark.timeout(120)
def test_every_page_is_built(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / name).exists(), name


@pytest.mark.timeout(120)
def test_every_page_can_be_found_from_the_first(site: Path) -> None:
    menu = (site / "index.html").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        linked = f'href="{name}"' in menu or name == "index.html"
        assert linked, f"mkdocs.yml's nav leaves out {name}"


@pytest.mark.timeout(120)
def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = re.findall(r'<(?:script|link|img|iframe)\b[^>]*"(https?:)?//', page.read_text())
        assert not fetched, page


@pytest.mark.timeout(120)
def test_what_lies_outside_of_docs_is_shown(site: Path) -> None:
    example = (site / "source" / "examples" / "create_workflow.py.html").read_text()
    assert "CreateWorkflowUseCase" in example
    decisions = (site / "explanation" / "decisions" / "index.html").read_text()
    assert 'decisions/0001-unknown-fields-are-refused.html">Unknown fields' in decisions
    assert "quick_start" in (site / "source/tests/polyglot/go/index.html").read_text()
