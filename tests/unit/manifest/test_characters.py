from __future__ import annotations

import pytest

from tests.unit.manifest.builders import findings


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2066", "U+2066 LEFT-TO-RIGHT ISOLATE"),
        ("\u061c", "U+061C ARABIC LETTER MARK"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u200d", "U+200D ZERO WIDTH JOINER"),
        ("\u2060", "U+2060 WORD JOINER"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\u00ad", "U+00AD SOFT HYPHEN"),
        ("\u3164", "U+3164 HANGUL FILLER"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
    ],
)
def test_an_invisible_character_is_bad(character: str, name: str) -> None:
    [finding] = findings("invisible-character", publisher=f"Nim{character}bus{character}")
    assert finding.path == "publisher"
    assert finding.message == f"has the invisible {name}; remove it"


def test_it_is_looked_for_in_whatever_is_a_name_or_is_run() -> None:
    bad = "a\u200bb"
    found = findings(
        "invisible-character",
        name=bad,
        version=bad,
        publisher=bad,
        entry_point=bad,
        homepage=bad,
        type=bad,
        permissions=["ui.render", bad],
        dependencies={bad: "*", "good": bad},
        hooks={bad: "true", "start": bad},
    )
    assert {finding.path for finding in found} == {
        "name",
        "version",
        "publisher",
        "entry_point",
        "homepage",
        "type",
        "permissions[1]",
        'dependencies["a\\u200bb"]',
        "dependencies.good",
        'hooks["a\\u200bb"]',
        "hooks.start",
    }


@pytest.mark.parametrize("text", ["Müller & Söhne", "Sunny ☀️", "葛\U000e0100飾", "שלום", "नमस्ते"])
def test_visible_characters_of_any_script_are_good(text: str) -> None:
    assert not findings("invisible-character", publisher=text)
    assert not findings("homoglyph", publisher=text)


def test_a_description_may_join_and_direct_its_characters() -> None:
    description = "می\u200cخواهم \U0001f468\u200d\U0001f469 \u200fא"
    assert not findings("invisible-character", description=description)


@pytest.mark.parametrize(
    "publisher",
    [
        "ООО Digital",
        "Яндекс-Labs",
        "東京ABC電機サーバー",
        "한글Labs",
        "β Labs",
        "Δelta",  # looks like no Latin letter
        "ＮＴＴ",
        "№5 ½ ① ™",
        "Ελληνικά",
        "e\u0301cole",
    ],
)
def test_words_in_one_script_each_are_good(publisher: str) -> None:
    assert not findings("homoglyph", publisher=publisher)


@pytest.mark.parametrize(
    ("publisher", "name"),
    [
        ("Nimb\u0443s", "U+0443 CYRILLIC SMALL LETTER U"),
        ("The N\u03b9mbus Tools", "U+03B9 GREEK SMALL LETTER IOTA"),
        ("A\u0301\u0441me", "U+0441 CYRILLIC SMALL LETTER ES"),
        ("\U0001d400cme", "U+1D400 MATHEMATICAL BOLD CAPITAL A"),
        ("\u2102\u210d", "U+2102 DOUBLE-STRUCK CAPITAL C"),
        ("\u0430\u03bf", "U+0430 CYRILLIC SMALL LETTER A"),
    ],
)
def test_letters_that_pass_for_latin_ones_are_bad(publisher: str, name: str) -> None:
    [finding] = findings("homoglyph", publisher=publisher)
    assert finding.path == "publisher"
    assert finding.message == (
        f"has {name}, which looks like a Latin letter; write each word in one script"
    )


def test_a_name_is_latin_throughout() -> None:
    [name, dependency] = findings(
        "homoglyph", name="\u0430\u0441\u0435", dependencies={"\u0440\u0443": "*", "é": "*"}
    )
    assert name.path == "name"
    assert dependency.path == 'dependencies["\\u0440\\u0443"]'
