from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from symphony.v1.extension_pb2 import (
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_TOML,
    ManifestFormat,
)
from symphony_client.errors import PreValidationFailed
from symphony_client.prevalidation import ManifestFile, read_manifest_file
from symphony_client.prevalidation.manifest_text import what_is_malformed
from symphony_server.refusal import Violation as ServerViolation
from symphony_server.rules.manifest.reading import read_manifest

MAX_BYTES = 256 * 1024
JSON_TEXT = (
    """{"name": "lint", "list": [1, -2.5e10, true, null, {"a": "\\u00e9\\n"}], "more": {}}"""
)
TOML_TEXT = """name = "lint"
[part.inner]
list = [1, 2.5e3, 0x1F, true,
  "y"] # comment
when = 1979-05-27T07:32:00Z
long = '''
a'''
[[tables]]
key.inner = -1_000
[[tables]]
"quoted key" = inf
"""


def refusal(path: Path | str) -> tuple[str, str]:
    """The rule for which the file is refused, and what is said."""
    with pytest.raises(PreValidationFailed) as caught:
        read_manifest_file(path)
    [violation] = caught.value.violations
    assert violation.field == "manifest"
    assert str(path).rstrip("\0") in violation.description
    return violation.rule, violation.description


@pytest.mark.parametrize(
    ("name", "text", "manifest_format"),
    [
        ("manifest.json", JSON_TEXT, MANIFEST_FORMAT_JSON),
        ("manifest.TOML", TOML_TEXT, MANIFEST_FORMAT_TOML),
        ("manifest", "\n " + JSON_TEXT, MANIFEST_FORMAT_JSON),
        ("manifest.txt", TOML_TEXT, MANIFEST_FORMAT_TOML),
        ("manifest.toml", 'a = "\u00e9"\r\n', MANIFEST_FORMAT_TOML),
    ],
)
def test_a_file_gives_its_text_and_format(
    tmp_path: Path, name: str, text: str, manifest_format: ManifestFormat.ValueType
) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())

    assert read_manifest_file(path) == ManifestFile(path, text, manifest_format)
    assert read_manifest_file(str(path)).text == text


def test_the_mark_that_editors_put_before_utf_8_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"\xef\xbb\xbf" + JSON_TEXT.encode())

    assert read_manifest_file(path).text == JSON_TEXT


def test_a_file_of_256_kib_is_taken_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"{}".ljust(MAX_BYTES))
    assert len(read_manifest_file(path).text) == MAX_BYTES

    path.write_bytes(b"{}".ljust(MAX_BYTES + 1))

    assert refusal(path) == (
        "string.max_bytes",
        f"the file {path} is larger than 256 KiB; shorten it",
    )


@pytest.mark.parametrize(
    ("name", "content", "rule", "said"),
    [
        ("manifest.json", b"", "string.min_bytes", "is empty; write the manifest into it"),
        ("manifest.json", b"\xef\xbb\xbf", "string.min_bytes", "is empty"),
        ("manifest.json", b'{"a": "\xe9"}', "file.utf8", "is not UTF-8 from byte 7 on"),
        ("manifest.json", b" ", "MANIFEST_MALFORMED", "cannot be read: it is not JSON"),
        ("manifest.json", TOML_TEXT.encode(), "MANIFEST_MALFORMED", "it is not JSON"),
        ("manifest.json", b"[" * MAX_BYTES, "MANIFEST_MALFORMED", "nested too deep"),
        ("manifest.toml", b"a = [" + b"[" * 9999, "MANIFEST_MALFORMED", "nested too deep"),
        ("manifest.toml", b"name: lint", "MANIFEST_MALFORMED", "it is not TOML"),
        ("manifest", b"<xml/>", "MANIFEST_MALFORMED", "it is not TOML"),
    ],
)
def test_what_no_request_can_be_made_of_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, rule: str, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    broken, description = refusal(path)

    assert broken == rule
    assert said in description


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    missing = tmp_path / "manifest.json"

    assert refusal(missing) == (
        "file.exists",
        f"the file {missing} does not exist; name the manifest's file",
    )
    assert refusal(tmp_path / "missing" / "manifest.json")[0] == "file.exists"
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "manifest.json")[0] == "file.exists"


def test_a_folder_and_a_pipe_are_no_files_and_are_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)

    assert refusal(tmp_path)[0] == "file.regular"
    assert refusal(pipe)[0] == "file.regular"


def test_a_path_that_cannot_be_followed_is_told_as_the_system_says(tmp_path: Path) -> None:
    circle = tmp_path / "circle.json"
    circle.symlink_to(circle)

    assert refusal(circle)[0] == "file.readable"
    assert refusal(str(tmp_path / "x") + "\0")[0] == "file.readable"
    assert "too long" in refusal(tmp_path / ("x" * 300))[1]


def test_a_file_that_may_not_be_read_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "manifest.json"
    path.write_text("{}")
    monkeypatch.setattr(Path, "open", refuse)

    assert refusal(path) == (
        "file.readable",
        f"the file {path} cannot be read: permission denied",
    )


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json"))

    with pytest.raises(PreValidationFailed) as caught:
        read_manifest_file(path)

    assert "\ufffd.json does not exist" in caught.value.message
    assert caught.value.trailing_metadata()


def test_what_cannot_be_read_here_the_server_cannot_read_either() -> None:
    chance = random.Random(20)  # noqa: S311 # no secret
    odd = "\"'[]{}=.,#\\\n\r\t abexu0123456789-:TZ+_\x00\x0b\u2028\u00e9\ufeff"
    refused = 0
    for turn in range(3000):
        text, manifest_format = (
            (TOML_TEXT, MANIFEST_FORMAT_TOML) if turn % 2 else (JSON_TEXT, MANIFEST_FORMAT_JSON)
        )
        changed = list(text)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(changed))
            changed[place : place + chance.randint(0, 2)] = chance.choice(["", chance.choice(odd)])
        text = "".join(changed)
        if what_is_malformed(text, manifest_format):
            refused += 1
            found = read_manifest(text, manifest_format)
            assert isinstance(found, ServerViolation), text
            assert (found.field, found.reason_name) == ("manifest", "MANIFEST_MALFORMED")
    assert refused > 500


def test_a_manifest_that_cannot_be_read_has_the_servers_reason(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text("{")
    with pytest.raises(PreValidationFailed) as caught:
        read_manifest_file(path)
    assert caught.value.reason == "MANIFEST_MALFORMED"
    path.write_text("")
    with pytest.raises(PreValidationFailed) as caught:
        read_manifest_file(path)
    assert caught.value.reason == "FIELD_INVALID"
