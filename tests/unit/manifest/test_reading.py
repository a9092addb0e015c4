from __future__ import annotations

import json

import pytest

from symphony.v1.extension_pb2 import (
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_TOML,
    MANIFEST_FORMAT_UNSPECIFIED,
)
from symphony_server.refusal import Violation
from symphony_server.rules.manifest.document import RawManifest
from symphony_server.rules.manifest.reading import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_KEY_CHARACTERS,
    MAX_MANIFEST_BYTES,
    MAX_VALUES,
    read_manifest,
)


def why_not_json(text: str) -> str:
    return why_not(read_manifest(text, MANIFEST_FORMAT_JSON))


def why_not_toml(text: str) -> str:
    return why_not(read_manifest(text, MANIFEST_FORMAT_TOML))


def why_not(read: RawManifest | Violation) -> str:
    assert isinstance(read, Violation)
    assert read.reason_name == "MANIFEST_MALFORMED"
    assert read.field == "manifest"
    start = "the manifest cannot be read: "
    assert read.description.startswith(start)
    return read.description.removeprefix(start)


def test_json_and_toml_of_the_same_manifest_read_the_same() -> None:
    as_json = '{"name": "a", "list": [1, 2.5, true], "inner": {"text": "é\\n"}}'
    as_toml = 'name = "a"\nlist = [1, 2.5, true]\ninner.text = "é\\n"'
    expected = RawManifest(
        {"name": "a", "list": [1, 2.5, True], "inner": {"text": "é\n"}},
    )
    assert read_manifest(as_json, MANIFEST_FORMAT_JSON) == expected
    assert read_manifest(as_json, MANIFEST_FORMAT_UNSPECIFIED) == expected
    assert read_manifest(as_toml, MANIFEST_FORMAT_TOML) == expected


def test_toml_may_have_times() -> None:
    assert isinstance(read_manifest("t = 2026-03-14T09:26:53Z", MANIFEST_FORMAT_TOML), RawManifest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is not JSON: expecting value at line 1, column 1"),
        (
            '{"a": 1,\n "b" 2}',
            "it is not JSON: expecting ':' delimiter at line 2, column 6",
        ),
        ('{"a": "x\ny"}', "it is not JSON: invalid control character at line 1, column 9"),
        ('{"a": "\\q"}', "it is not JSON: invalid \\escape at line 1, column 8"),
        ("{} {}", "it is not JSON: extra data at line 1, column 4"),
        ("[]", "it is JSON, but not an object; put its keys between { and }"),
        ("7", "it is JSON, but not an object; put its keys between { and }"),
        ('{"a": NaN}', "NaN is not a number in JSON; write a finite one"),
        ('{"a": [-Infinity]}', "-Infinity is not a number in JSON; write a finite one"),
        ('{"a": 1e999}', "a number is infinite or not a number; write a finite one"),
        (
            '{"name": 1, "x": 2, "name": 3}',
            "a key, name, is there twice in one object; keep one of them",
        ),
        (
            '{"x": {"A key!": 1, "A key!": 3}}',
            "a key is there twice in one object; keep one of them",
        ),
        (
            '{"a": "\\ud800"}',
            "it has half of a surrogate pair, \\ud800 to \\udfff alone, which is no character",
        ),
        (
            '{"a": {"\\udfff": 1}}',
            "it has half of a surrogate pair, \\ud800 to \\udfff alone, which is no character",
        ),
        (
            '{"a": "\ud800"}',
            "it has half of a surrogate pair, \\ud800 to \\udfff alone, which is no character",
        ),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(text: str, said: str) -> None:
    assert why_not_json(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb =", "it is not TOML: string values must be quoted, expected literal string"),
        ("a = 1\na = 2", "it is not TOML: duplicate key at line 2, column 1"),
        ("[a]\n[a]", "it is not TOML: duplicate key at line 2, column 2"),
        ("a = 0000-01-01", "it is not TOML: year 0 is out of range at line 1, column 5"),
        ("a = inf", "a number is infinite or not a number; write a finite one"),
        ("a = nan", "a number is infinite or not a number; write a finite one"),
        ('a = "\\ud800"', "it is not TOML: invalid value, expected unicode hexadecimal value"),
        ("{}", "it is not TOML: "),
        ("a = 99999999999999999999", "a whole number is beyond 64 bits; write it as text"),
    ],
)
def test_what_is_no_toml_is_refused_with_the_place(text: str, said: str) -> None:
    assert why_not_toml(text).startswith(said)


def test_a_surrogate_pair_is_a_character() -> None:
    read = read_manifest('{"a": "\\ud83d\\ude00"}', MANIFEST_FORMAT_JSON)
    assert read == RawManifest({"a": "\U0001f600"})


def test_a_manifest_has_at_most_so_many_bytes() -> None:
    frame = len('{"a":""}')
    fits = json.dumps({"a": "x" * (MAX_MANIFEST_BYTES - frame)}, separators=(",", ":"))
    assert isinstance(read_manifest(fits, MANIFEST_FORMAT_JSON), RawManifest)
    assert why_not_json(fits + " ") == "it is larger than 256 KiB; shorten it"
    assert why_not_json(f'{{"a":"{"é" * (MAX_MANIFEST_BYTES // 2)}"}}') == (
        "it is larger than 256 KiB; shorten it"
    )


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def test_a_manifest_is_at_most_so_deep() -> None:
    assert isinstance(read_manifest(nested(MAX_DEPTH), MANIFEST_FORMAT_JSON), RawManifest)
    said = "it is nested more than 32 levels deep; flatten it"
    assert why_not_json(nested(MAX_DEPTH + 1)) == said
    assert why_not_json(nested(100_000)) == "it is larger than 256 KiB; shorten it"
    assert why_not_json("[" * 1_500) == said
    assert why_not_toml("a = " + "[" * 33 + "]" * 33) == said
    assert why_not_toml("a = " + "[" * 100_000) == said
    assert why_not_toml("a" + ".a" * 100_000 + " = 1") == said


def test_a_manifest_has_at_most_so_many_values() -> None:
    fits = {"a": list(range(MAX_VALUES - 1))}
    assert isinstance(read_manifest(json.dumps(fits), MANIFEST_FORMAT_JSON), RawManifest)
    said = "it has more than 2000 values; leave some out"
    assert why_not_json(json.dumps({"a": list(range(MAX_VALUES))})) == said
    assert why_not_json(json.dumps({f"k{i}": 1 for i in range(MAX_VALUES + 1)})) == said
    assert why_not_toml("".join(f"k{i} = 1\n" for i in range(MAX_VALUES + 1))) == said
    assert why_not_json("[" * 100_000) == said
    assert why_not_json('{"a": [' + "[]," * 5_000 + "[]]}") == said


def test_brackets_and_commas_in_a_text_are_no_values() -> None:
    text = json.dumps({"a": "[{,]}" * 10_000 + '\\"' * 10 + ",", "b": "," * 5_000})
    assert isinstance(read_manifest(text, MANIFEST_FORMAT_JSON), RawManifest)


def test_a_key_has_at_most_so_many_characters() -> None:
    fits = json.dumps({"k" * MAX_KEY_CHARACTERS: 1})
    assert isinstance(read_manifest(fits, MANIFEST_FORMAT_JSON), RawManifest)
    assert why_not_json(json.dumps({"k" * (MAX_KEY_CHARACTERS + 1): 1})) == (
        "a key is longer than 128 characters; shorten it"
    )


def test_a_whole_number_has_at_most_64_bits() -> None:
    fits = json.dumps({"a": [MAX_INTEGER, -MAX_INTEGER - 1]})
    assert isinstance(read_manifest(fits, MANIFEST_FORMAT_JSON), RawManifest)
    said = "a whole number is beyond 64 bits; write it as text"
    assert why_not_json(json.dumps({"a": MAX_INTEGER + 1})) == said
    assert why_not_json(json.dumps({"a": -MAX_INTEGER - 2})) == said
    assert why_not_json('{"a": ' + "9" * 5000 + "}") == (
        "it has a number with thousands of digits; write a smaller one"
    )
