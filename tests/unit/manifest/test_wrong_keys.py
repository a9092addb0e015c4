from __future__ import annotations

import pytest

from symphony_server.rules.manifest.document import RawManifest
from symphony_server.rules.manifest.model import (
    MAX_COMMAND_CHARACTERS,
    MAX_DEPENDENCIES,
    MAX_HOOKS,
    MAX_PERMISSIONS,
    Manifest,
)
from symphony_server.rules.manifest.wrong_keys import MAX_VIOLATIONS, validate
from tests.unit.manifest.builders import SOUND


def wrong(**changes: object) -> list[tuple[str, str]]:
    """What is wrong with a sound manifest with those keys changed: places and descriptions."""
    violations = validate(RawManifest({**SOUND, **changes}))
    assert isinstance(violations, tuple)
    assert {violation.reason_name for violation in violations} == {"MANIFEST_INVALID"}
    return [(violation.field, violation.description) for violation in violations]


def is_sound(**changes: object) -> bool:
    return isinstance(validate(RawManifest({**SOUND, **changes})), Manifest)


def test_a_manifest_needs_five_keys_and_all_that_miss_are_named() -> None:
    violations = validate(RawManifest({}))
    assert isinstance(violations, tuple)
    assert [violation.field for violation in violations] == [
        "manifest.name",
        "manifest.version",
        "manifest.type",
        "manifest.publisher",
        "manifest.entry_point",
    ]
    assert {violation.description for violation in violations} == {
        "is missing; every manifest has to have it"
    }


def test_everything_wrong_is_said_at_once() -> None:
    found = wrong(
        name="No Name",
        version="1",
        type="OPERATOR",
        publisher=" ",
        entry_point=7,
        homepage="javascript:alert(1)",
        permissions="all",
        dependencies=["x"],
        hooks={"in stall": "a", "run": None, "stop": ""},
    )
    assert found == [
        (
            "manifest.name",
            "may have only lower-case letters a to z, digits, and single hyphens between them",
        ),
        ("manifest.version", "must be a semantic version such as 1.4.0 or 2.0.0-rc.1"),
        ("manifest.type", "must be one of instrument, operator, motif"),
        (
            "manifest.publisher",
            "must not be blank, nor hold line breaks or control characters",
        ),
        ("manifest.entry_point", "must be text, in quotes"),
        (
            "manifest.homepage",
            "must be a web or git address such as https://example.com/tool",
        ),
        ("manifest.permissions", "must be a list, in square brackets"),
        ("manifest.dependencies", "must be an object: names with a text each"),
        (
            'manifest.hooks["in stall"]',
            "as a name must be a hook's name: a letter, then at most 63 letters, digits,"
            " hyphens, colons or underscores",
        ),
        ("manifest.hooks.run", "must be text, in quotes"),
        ("manifest.hooks.stop", "must not be empty"),
    ]


@pytest.mark.parametrize("name", ["a", "0", "a-b", "3d-viewer-2", "a" * 128])
def test_names_have_small_letters_digits_and_hyphens(name: str) -> None:
    assert is_sound(name=name, dependencies={name: "*"})


@pytest.mark.parametrize(
    "name", ["", "A", "a_b", "-a", "a-", "a--b", "a b", "é", "\u0430", "a.b", "a\n", "a" * 129]
)
def test_nothing_else_is_a_name(name: str) -> None:
    assert [place for place, _ in wrong(name=name)] == ["manifest.name"]
    assert len(wrong(dependencies={name: "*"})) == 1


@pytest.mark.parametrize("name", ["install", "postInstall", "pre-build", "build:docker", "a_1"])
def test_a_hook_may_be_called_as_elsewhere(name: str) -> None:
    assert is_sound(hooks={name: "true"})


@pytest.mark.parametrize("publisher", ["Müller & Söhne", "株式会社", "O'Brien", "x" * 128])
def test_a_publisher_may_be_called_anything(publisher: str) -> None:
    assert is_sound(publisher=publisher)


@pytest.mark.parametrize("text", ["", " ", "\u3000", "a\nb", "a\x00", "a\x7f", "a\u2028b"])
def test_what_is_shown_on_one_line_is_one(text: str) -> None:
    assert not is_sound(publisher=text)
    assert not is_sound(entry_point=text)
    assert not is_sound(permissions=[text])


@pytest.mark.parametrize("command", [" ", "a\x00", "a\x1b[0m", "x" * (MAX_COMMAND_CHARACTERS + 1)])
def test_a_hook_is_a_command(command: str) -> None:
    assert not is_sound(hooks={"install": command})


@pytest.mark.parametrize(
    "homepage",
    [
        "https://example.com",
        "http://example.com/a?b=c#d",
        "https://münchen.example/",
        "git+https://github.com/a/b.git",
        "git://git.example.com/b",
        "ssh://git@example.com:22/b.git",
        "git@github.com:a/b.git",
    ],
)
def test_a_homepage_is_on_the_web_or_in_git(homepage: str) -> None:
    assert is_sound(homepage=homepage)


@pytest.mark.parametrize(
    "homepage", ["", "example.com", "ftp://a.example", "data:,x", "https://", "https://a b", None]
)
def test_nothing_else_is_a_homepage(homepage: str | None) -> None:
    assert is_sound(homepage=homepage) is (homepage is None)


def test_there_are_limits_to_how_many() -> None:
    assert is_sound(permissions=["a"] * MAX_PERMISSIONS)
    assert wrong(permissions=["a"] * (MAX_PERMISSIONS + 1)) == [
        ("manifest.permissions", "must have at most 64 entries")
    ]
    assert wrong(dependencies={f"d{i}": "*" for i in range(MAX_DEPENDENCIES + 1)}) == [
        ("manifest.dependencies", "must have at most 256 entries")
    ]
    assert wrong(hooks={f"h{i}": "x" for i in range(MAX_HOOKS + 1)}) == [
        ("manifest.hooks", "must have at most 16 entries")
    ]
    assert wrong(description="x", version="1.0.0-" + "x" * 128) == [
        ("manifest.version", "must have at most 128 characters")
    ]


def test_no_more_violations_are_made_than_anyone_reads() -> None:
    dependencies = {f"D{i}": "x" for i in range(MAX_DEPENDENCIES)}
    assert len(wrong(dependencies=dependencies)) == MAX_VIOLATIONS


def test_hidden_keys_are_not_named() -> None:
    violations = validate(RawManifest({**SOUND, "hooks": {"s3cret": 1}}), frozenset({"s3cret"}))
    assert isinstance(violations, tuple)
    assert [violation.field for violation in violations] == ["manifest.hooks[<hidden>]"]


def test_keys_that_are_not_known_are_no_fault_here() -> None:
    assert is_sound(licence="MIT", name="x")
