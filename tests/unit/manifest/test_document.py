from __future__ import annotations

from symphony_server.rules.manifest.document import Text, keys_in, place, texts_in, values_in

DOCUMENT = {"a": "x", "b": [1, {"c": "y", "a": ["z"]}], "d": {}}


def test_values_come_in_the_order_they_are_written() -> None:
    assert [loc for loc, _ in values_in(DOCUMENT)] == [
        (),
        ("a",),
        ("b",),
        ("b", 0),
        ("b", 1),
        ("b", 1, "c"),
        ("b", 1, "a"),
        ("b", 1, "a", 0),
        ("d",),
    ]


def test_texts_know_the_key_above_them() -> None:
    assert [(text.key, text.text) for text in texts_in(DOCUMENT)] == [
        ("a", "x"),
        ("c", "y"),
        ("a", "z"),
    ]
    assert Text((), "x").key == ""


def test_each_key_comes_once() -> None:
    assert list(keys_in(DOCUMENT)) == ["a", "b", "c", "d"]


def test_places_are_written_as_people_write_them() -> None:
    assert place(()) == ""
    assert place(("hooks", "pre-install")) == "hooks.pre-install"
    assert place(("x", 0, 1, "y")) == "x[0][1].y"
    assert place(("$schema",)) == "$schema"


def test_places_are_visible_ascii_whatever_the_keys() -> None:
    assert place(("a b", 'c"', "\u202e\n", "", "d.e")) == (
        '["a b"]["c\\""]["\\u202e\\n"][""]["d.e"]'
    )


def test_hidden_keys_are_not_shown() -> None:
    assert place(("x", "s3cret", 0), frozenset({"s3cret"})) == "x[<hidden>][0]"
