from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony_server.rules.manifest.claims import InstalledExtension
from symphony_server.rules.manifest.installed import is_one_edit
from tests.unit.manifest.builders import findings

NAMES = st.text("ab-", max_size=8)


def edits(name: str) -> set[str]:
    """Every text one edit away, over a small alphabet, and the text itself."""
    alphabet = "ab-c"
    cuts = [(name[:at], name[at:]) for at in range(len(name) + 1)]
    return {
        name,
        *(left + right[1:] for left, right in cuts if right),
        *(left + letter + right for left, right in cuts for letter in alphabet),
        *(left + letter + right[1:] for left, right in cuts if right for letter in alphabet),
        *(left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1),
    }


@given(NAMES, NAMES)
def test_one_edit_is_what_making_every_edit_finds(one: str, other: str) -> None:
    assert is_one_edit(one, other) == (other in edits(one))


@given(NAMES.flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(sorted(edits(name))))))
def test_one_edit_is_found_from_either_side(pair: tuple[str, str]) -> None:
    assert is_one_edit(*pair)
    assert is_one_edit(*reversed(pair))


def beside(name: str, version: str = "1.0.0", publisher: str = "Acme") -> list[InstalledExtension]:
    return [
        InstalledExtension("unrelated", "9.9.9", "Somebody"),
        InstalledExtension(name, version, publisher),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "image-resizer",
        "image-resize",
        "image-resizers",
        "imaeg-resizer",
        "imageresizer",
        "irnage-resizer",
        "i-m-a-g-e-resizer",
        "irnage-re5izer",
    ],
)
def test_a_name_like_another_publishers_is_bad(name: str) -> None:
    installed = beside("image-resizer", publisher="Acme")
    [finding] = findings("name-imitates-installed", installed, name=name, publisher="Nimbus")
    assert finding.path == "name"
    assert finding.message == (
        'is too like "image-resizer" of "Acme", which is installed;'
        " choose a name that nobody takes for it"
    )


@pytest.mark.parametrize("name", ["image-viewer", "resizer", "image-resizer-pro", "images-resized"])
def test_another_name_is_good(name: str) -> None:
    installed = beside("image-resizer", publisher="Acme")
    assert not findings("name-imitates-installed", installed, name=name, publisher="Nimbus")


@pytest.mark.parametrize("publisher", ["Acme", "ACME", "\uff21cme"])
def test_a_publisher_may_call_its_extensions_as_it_likes(publisher: str) -> None:
    installed = beside("image-resizer", publisher="Acme")
    assert not findings(
        "name-imitates-installed", installed, name="image-resizers", publisher=publisher
    )


def test_what_has_no_name_imitates_none() -> None:
    assert not findings("name-imitates-installed", beside("a"), name=None)


@pytest.mark.parametrize("publisher", ["\u0410\u0441m\u0435", "A\u0441me", " \u0391cme"])
def test_a_publisher_in_other_letters_is_bad(publisher: str) -> None:
    [finding] = findings("publisher-imitates-installed", beside("x"), publisher=publisher)
    assert finding.path == "publisher"
    assert finding.message.endswith('write it as there: "Acme"')


def test_so_is_one_in_plain_letters_beside_one_in_others() -> None:
    [finding] = findings(
        "publisher-imitates-installed", beside("x", publisher="\u0410\u0441\u0435"), publisher="Ace"
    )
    assert finding.path == "publisher"


@pytest.mark.parametrize("publisher", ["Acme", "acme", "\uff21cme", "Acmé", "Ácme Süd", "Яндекс"])
def test_the_same_publisher_and_quite_another_are_good(publisher: str) -> None:
    assert not findings("publisher-imitates-installed", beside("x"), publisher=publisher)


@pytest.mark.parametrize("version", ["2.0.0", "1.9.9", "2.0.0-rc.1", "2.0.0+later"])
def test_a_version_that_is_not_higher_is_bad(version: str) -> None:
    installed = beside("word-count", "2.0.0", "Nimbus Tools")
    [finding] = findings("version-not-higher", installed, version=version)
    assert finding.path == "version"
    assert finding.message == 'is not higher than "2.0.0", which is installed; raise it'


@pytest.mark.parametrize("version", ["2.0.1", "10.0.0", "3.0.0-alpha", "not a version"])
def test_a_higher_version_is_good_and_none_at_all_is_another_matter(version: str) -> None:
    installed = beside("word-count", "2.0.0", "Nimbus Tools")
    assert not findings("version-not-higher", installed, version=version)


def test_versions_of_other_extensions_do_not_matter() -> None:
    assert not findings("version-not-higher", beside("word-counter", "9.0.0", "Nimbus Tools"))
