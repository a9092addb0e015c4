"""The reference is what the contract says, all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_client.settings import ClientSettings
from symphony_server.access.permissions import PERMISSIONS
from symphony_server.rpc.methods import read_methods
from symphony_server.settings import Settings
from tools import reference, reference_contract


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages(reference_contract.read(reference.DESCRIPTOR_SET))


def test_the_committed_pages_are_those_of_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference.write(tmp_path)
    differs = reference.report_differences(reference.REFERENCE, tmp_path)
    assert not differs, capsys.readouterr().out


def test_what_differs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    reference.write(new)
    reference.write(old)
    (old / "errors.md").write_text("something else")
    (old / "settings.md").unlink()
    (old / "gone.md").touch()
    assert reference.report_differences(old, new) == 1
    assert capsys.readouterr().out.splitlines()[:3] == [
        "docs/reference/errors.md: outdated",
        "docs/reference/gone.md: left over",
        "docs/reference/settings.md: missing",
    ]
    reference.write(old)
    assert reference.report_differences(old, new) == 0


def test_every_reason_has_its_heading_and_code(pages: dict[str, str]) -> None:
    for name in ErrorReason.keys()[1:]:
        assert f"\n### {name.removeprefix('ERROR_REASON_')}\n" in pages["errors.md"]
    assert "\n## Code UNSPECIFIED" not in pages["errors.md"]


def test_every_method_has_its_policy(pages: dict[str, str]) -> None:
    for name in read_methods():
        method = name.rpartition("/")[2]
        assert f"| [{method}](" in pages["permissions.md"]


def test_every_setting_is_there(pages: dict[str, str]) -> None:
    for name in (*Settings.model_fields, *ClientSettings.model_fields):
        assert f"| `SYMPHONY_{name.upper()}` |" in pages["settings.md"]


def test_every_setting_says_what_it_is(pages: dict[str, str]) -> None:
    rows = re.findall(r"^\| `SYMPHONY_\w+` \|.*$", pages["settings.md"], re.M)
    assert len(rows) == len(Settings.model_fields) + len(ClientSettings.model_fields)
    assert [row for row in rows if not re.split(r"(?<!\\)\|", row)[4].strip()] == []


def test_every_permission_is_explained(pages: dict[str, str]) -> None:
    for name in PERMISSIONS:
        assert f"\n### {name}\n" in pages["permissions.md"]


def test_links_between_the_pages_lead_somewhere(pages: dict[str, str]) -> None:
    anchors = {
        name: {_slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.M)}
        for name, text in pages.items()
    }
    for name, text in pages.items():
        for page, anchor in re.findall(r"\]\(([\w-]+\.md)?(?:#([\w-]+))?\)", text):
            assert not anchor or anchor in anchors[page or name], f"{name}: {page}#{anchor}"


def _slug(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


class TestRulesInWords:
    """Of the fields of the contract, as the pages show them."""

    @pytest.mark.parametrize(
        ("message", "field", "words"),
        [
            (
                "CreateProjectRequest",
                "name",
                "1 to 128 characters, not blank, no control characters",
            ),
            ("CreateProjectRequest", "project_id", "an id: `project_…`, or empty"),
            ("WorkflowSpec", "steps", "1 to 1000 items"),
        ],
    )
    def test_a_rule_is_told(self, message: str, field: str, words: str) -> None:
        contract = reference_contract.read(reference.DESCRIPTOR_SET)
        (found,) = (
            one
            for whole in contract.messages
            if whole.name == message
            for one in whole.fields
            if one.name == field
        )
        assert "; ".join(found.rules) == words
