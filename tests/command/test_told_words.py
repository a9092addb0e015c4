"""The words of what is wrong, wherever in an error a server has room for them."""

from __future__ import annotations

from symphony_client.errors import Violation
from symphony_command.told_words import with_words

LONG = "does a thing that nobody wants; take it out: it is of no use"


def told(message: str, *violations: tuple[str, str]) -> list[str]:
    given = [Violation(field=field, rule=rule) for field, rule in violations]
    return [str(one) for one in with_words(given, message)]


def test_words_come_from_the_message_where_the_details_have_none() -> None:
    message = f"10 things are wrong: a.b: {LONG}; c: is blank; c: is long; and 7 more"
    assert told(message, ("a.b", "r1"), ("c", "r2"), ("c", "r3")) == [
        f"a.b: {LONG}",
        "c: is blank",
        "c: is long",
    ]


def test_what_the_message_only_names_is_told_by_its_rule() -> None:
    message = f"3 things are wrong: a: {LONG}; also b (r2), a (r3)"
    assert told(message, ("a", "r1"), ("b", "r2"), ("a", "r3")) == [f"a: {LONG}", "b: r2", "a: r3"]


def test_a_description_of_its_own_stays_and_one_thing_alone_has_no_count() -> None:
    own = Violation(field="a", rule="r", description="is wrong")
    assert list(with_words([own], "another sentence")) == [own]
    assert told("a: is blank", ("a", "r")) == ["a: is blank"]
    unmet = Violation(subject="manifest", rule="SCAN_REJECTED")
    assert list(with_words([unmet], "a: is blank")) == [unmet]


def test_a_message_that_says_nothing_of_a_field_does_no_harm() -> None:
    assert told("something else", ("a", "r1"), ("b", "r2")) == ["a: r1", "b: r2"]
