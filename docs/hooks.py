"""What building the site needs beyond mkdocs: pages for files that lie outside of `docs/`.

A link such as `../examples/create_workflow.py` leads to the file when a page is read in the
repository. In the site it leads to a page, made here, that shows the file; so no page has to be
written twice, and nothing on the site needs a network. `nav` may name a folder for all its pages,
and a page with `?` that is left out while it is not there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
SHOWN: Final = "source"
"""Where the site has what lies outside of `docs/`."""
DECISIONS: Final = "explanation/decisions/index.md"

_LINK: Final = re.compile(r"(?<=\]\()(?!https?://|mailto:|#|/)([^)\s#]+)(?=[)#])")
_HEAD: Final = "---\nsearch:\n  exclude: true\n---\n"
_LANGUAGES: Final = {
    ".go": "go",
    ".java": "java",
    ".json": "json",
    ".md": "markdown",
    ".proto": "protobuf",
    ".py": "python",
    ".rs": "rust",
    ".toml": "toml",
    ".ts": "typescript",
    ".xml": "xml",
    ".yaml": "yaml",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that `nav` means in its place."""
    config.nav = _spelt_out(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file outside of `docs/` that a page leads to, and those lead to."""
    todo = [(file.src_uri, file.content_string) for file in files.documentation_pages()]
    while todo:
        page, text = todo.pop()
        for match in _LINK.finditer(text):
            path = _meant(page, match[1])
            shown = _page_of(path)
            if path.exists() and files.get_file_from_path(shown) is None:
                content = _content(path, shown)
                files.append(File.generated(config, shown, content=content))
                todo.append((shown, content))
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: object) -> str:
    """Lead each link to the site's page, and list the decisions where they are introduced."""
    here = page.file.src_uri
    if here == DECISIONS:
        markdown += "\n" + _decisions()

    def led(match: re.Match[str]) -> str:
        shown = _page_of(_meant(here, match[1]))
        known = files.get_file_from_path(shown) is not None
        return os.path.relpath(shown, Path(here).parent) if known else match[1]

    return _LINK.sub(led, markdown)


def _spelt_out(nav: Any) -> Any:
    if isinstance(nav, list):
        entries = [_spelt_out(entry) for entry in nav]
        lists = (entry if isinstance(entry, list) else [entry] for entry in entries)
        return [page for pages in lists for page in pages if page is not None]
    if isinstance(nav, dict):
        section = {title: _spelt_out(entry) for title, entry in nav.items()}
        return section if None not in section.values() else None
    if isinstance(nav, str) and nav.endswith("/"):
        return [path.relative_to(DOCS).as_posix() for path in sorted((DOCS / nav).glob("*.md"))]
    if isinstance(nav, str) and nav.endswith("?"):
        page = nav.removesuffix("?")
        return page if (DOCS / page).exists() else None
    return nav


def _meant(page: str, link: str) -> Path:
    """The file that a link on a page means, as it lies in the repository."""
    origin = ROOT / page.removeprefix(f"{SHOWN}/") if page.startswith(f"{SHOWN}/") else DOCS / page
    return Path(os.path.normpath(origin.parent / link))


def _page_of(path: Path) -> str:
    """The page that shows a file or a folder of the repository."""
    if path == DOCS / "decisions":
        return DECISIONS
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    if path.is_dir():
        path /= "README.md" if (path / "README.md").exists() else "index.md"
    shown = f"{SHOWN}/{os.path.relpath(path, ROOT)}"
    return shown if path.suffix == ".md" else f"{shown}.md"


def _content(path: Path, shown: str) -> str:
    name = path.relative_to(ROOT).as_posix()
    if path.is_dir() and not (path / "README.md").exists():
        inside = sorted(one.name for one in path.iterdir() if one.suffix in _LANGUAGES)
        return f"{_HEAD}# {name}/\n\n" + "".join(f"- [{one}]({one})\n" for one in inside)
    if shown.endswith(f"{path.name}.md"):
        language = _LANGUAGES.get(path.suffix, "text")
        fence = "`" * 6
        return f"{_HEAD}# {name}\n\n{fence}{language}\n{path.read_text()}{fence}\n"
    return _HEAD + (path / "README.md" if path.is_dir() else path).read_text()


def _decisions() -> str:
    lines = []
    for path in sorted((DOCS / "decisions").glob("*.md")):
        title = path.read_text().splitlines()[0].removeprefix("# ")
        number, _, said = title.partition(". ")
        lines.append(f"- {int(number):02}: [{said}](../../decisions/{path.name})\n")
    return "".join(lines)
