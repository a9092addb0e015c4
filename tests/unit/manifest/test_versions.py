from __future__ import annotations

import pytest

from symphony_server.rules.manifest.versions import is_higher, is_version, is_version_range

# The order that semver.org gives as its example in section 11, and what follows.
ORDERED = (
    "0.0.1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "2.0.0",
)


@pytest.mark.parametrize("text", [*ORDERED, "1.0.0+20130313144700", "1.0.0-0A.is.legal+x-y"])
def test_a_semantic_version_is_one(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3 ", "1.٢.3"],
)
def test_what_is_written_otherwise_is_none(text: str) -> None:
    assert not is_version(text)


def test_versions_are_ordered_as_semver_says() -> None:
    for at, version in enumerate(ORDERED):
        assert all(is_higher(version, lower) for lower in ORDERED[:at])
        assert not any(is_higher(version, higher) for higher in ORDERED[at:])


def test_build_metadata_makes_no_version_higher() -> None:
    assert is_higher("1.0.0+b", "1.0.0+a") is False


def test_what_is_no_version_is_not_compared() -> None:
    assert is_higher("1.0", "0.9.0") is None
    assert is_higher("1.0.0", "yesterday") is None


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "1",
        "1.x",
        "1.2.*",
        "1.2.3",
        "v1.2.3",
        "=1.2.3",
        "^1.2",
        "~1.2.3-rc.1+b5",
        ">=1.0 <2.0",
        ">= 1.0, < 2.0",
        "1.0 - 1.4.2",
        "^1 || ^2 || >=4.0.0",
        "~=1.4",
        "!=1.5.0,>=1",
    ],
)
def test_a_range_of_versions_is_one(text: str) -> None:
    assert is_version_range(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "latest",
        "^",
        "1.2.3.4",
        "^1 ||",
        "https://example.com/x.tgz",
        "git+ssh://git@example.com/x",
        "file:../x",
        "user/repository",
        "npm:other@1",
        "1.0; rm",
    ],
)
def test_what_is_no_range_is_none(text: str) -> None:
    assert not is_version_range(text)
