from __future__ import annotations

import sys
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony_server.rules.names import (
    ABOVE_EVERY_KEY,
    MAX_NAME_CHARACTERS,
    name_key,
    prefix_range,
    quoted,
)

# Few and troublesome, so that generated names share beginnings.
TROUBLESOME = (
    "aAsSßﬁfiİςΣé½각 "
    "\u017f\u0131\u03c3"  # long s, dotless i, sigma
    "\u0301\u0323\u0345"  # marks that combine, sort and fold
    "\u1100\u1161\u11a8"  # what the syllable is composed of
    "\ud7ff\ue000\U0010fffe\U0010ffff"
)
ANY = st.characters(exclude_categories=["Cs"])
CHARACTERS = st.sampled_from(TROUBLESOME) | ANY
NAMES = st.text(CHARACTERS, max_size=12)
NAME_CHARACTERS = st.sampled_from(TROUBLESOME) | st.characters(exclude_categories=["Cs", "Cc"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nightly", "nIGHTLY"),
        ("straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("ﬁnal", "final"),
        ("\uff21\uff22\uff23", "abc"),
        ("ΟΔΟΣ", "οδος"),
        ("\u1100\u1161", "\uac00"),
        ("\u212b", "å"),
    ],
)
def test_names_that_differ_in_case_or_compatible_form_are_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a", "b"), ("cafe", "café"), ("a b", "ab"), ("a", "\u0430"), (" a", "a")]
)
def test_names_that_read_differently_are_different(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(NAMES)
@settings(deadline=None)
def test_a_key_is_normalised_and_its_own_key(name: str) -> None:
    key = name_key(name)
    assert normalize("NFKC", key) == key
    assert name_key(key) == key


@given(NAMES)
@settings(deadline=None)
def test_how_a_name_was_composed_does_not_matter(name: str) -> None:
    assert name_key(normalize("NFD", name)) == name_key(name)


@given(st.data())
@settings(deadline=None, max_examples=400)
def test_a_prefix_range_holds_exactly_the_keys_that_start_with_the_prefix_key(
    data: st.DataObject,
) -> None:
    name = data.draw(st.text(NAME_CHARACTERS, max_size=12))
    cut_or_any = st.integers(0, len(name)).map(lambda end: name[:end]) | st.text(CHARACTERS)
    prefix = data.draw(cut_or_any)
    low, high = prefix_range(prefix)
    key = name_key(name)
    assert (low <= key < high) == key.startswith(name_key(prefix))


@given(NAMES)
@settings(deadline=None)
def test_bounds_can_be_written_as_utf_8_and_order_as_its_bytes_do(prefix: str) -> None:
    low, high = (bound.encode() for bound in prefix_range(prefix))
    assert low <= high
    assert (low < high) == ("\0" not in prefix)


def test_an_empty_prefix_holds_every_key() -> None:
    assert prefix_range("") == ("", ABOVE_EVERY_KEY)


@pytest.mark.parametrize(
    ("prefix", "low", "high"),
    [
        ("Ab", "ab", "ac"),
        ("ß", "ss", "st"),
        ("\ud7ff", "\ud7ff", "\ue000"),
        ("a\U0010ffff\U0010ffff", "a\U0010ffff\U0010ffff", "b"),
        ("\U0010ffff", "\U0010ffff", ABOVE_EVERY_KEY),
    ],
)
def test_the_bounds_of_a_prefix_are(prefix: str, low: str, high: str) -> None:
    assert prefix_range(prefix) == (low, high)


def test_a_prefix_with_a_nul_holds_nothing() -> None:
    assert prefix_range("a\0") == ("", "")


def test_no_name_has_a_key_above_every_key() -> None:
    highest = "\U0010ffff" * MAX_NAME_CHARACTERS
    assert name_key(highest) < ABOVE_EVERY_KEY
    for point in range(sys.maxunicode):
        assert not name_key(chr(point)).startswith("\U0010ffff")


def test_the_length_of_names_is_the_contracts() -> None:
    rules = WorkflowSpec.DESCRIPTOR.fields_by_name["name"].GetOptions()
    assert f"max_len: {MAX_NAME_CHARACTERS}" in str(rules)


def test_a_quoted_name_is_cut_where_it_is_long() -> None:
    assert quoted("a" * 64) == '"' + "a" * 64 + '"'
    assert quoted("a" * 65) == '"' + "a" * 63 + '…"'
