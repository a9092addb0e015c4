"""Commands taken apart: their words, and the programs that the words name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from symphony_server.rules.manifest.document import Loc


def names(text: str) -> frozenset[str]:
    """The names in a text, with spaces between them: how the tables of words are written."""
    return frozenset(text.split())


_BETWEEN_WORDS: Final = re.compile(r"[\s;&|<>(){}`]+")
_BETWEEN_COMMANDS: Final = re.compile(r"[;&|(){}`\n]+")
_QUOTES: Final = str.maketrans("", "", "\"'")
_ENDINGS: Final = (".exe", ".cmd", ".bat", ".com", ".ps1")
_NUMBERED: Final = re.compile(r"(python|pip|pypy|ruby|perl|php|node|lua)[\d.]+")
_STARTERS: Final = names(
    "sudo doas su env nohup time timeout nice ionice exec xargs setsid stdbuf watch command builtin"
    " busybox start call"
)
_BEFORE_CODE: Final = names("-c /c /k -command -exec -execdir")


@dataclass(frozen=True, slots=True)
class Command:
    """A command in a manifest, taken apart once for all rules."""

    loc: Loc
    text: str
    words: Sequence[str]
    """Its words, whatever a shell would do with quotes: `cu''rl` and `"curl"` are curl.

    It is on purpose no shell's grammar: what hides in an odd one is to be seen, too.
    """
    programs: Sequence[str]
    """Every word as the program that it would start, wherever it stands."""
    started: frozenset[str]
    """The programs at the places where a command starts one, for those named by common words."""


def command_of(loc: Loc, text: str) -> Command:
    """The command at that place of the manifest, taken apart."""
    bare = text.translate(_QUOTES)
    words = _BETWEEN_WORDS.split(bare.replace("\\", "/"))
    if "\\" in bare:
        words += _BETWEEN_WORDS.split(bare.replace("\\", ""))
    words = [word for word in words if word]
    return Command(loc, text, words, list(map(program_of, words)), frozenset(_started(bare)))


def program_of(word: str) -> str:
    """The program that a word would start: `/usr/bin/Python3.11` and `python.exe` are python."""
    name = word.rpartition("/")[2].lower()
    if name.endswith(_ENDINGS):
        name = name[:-4]
    numbered = _NUMBERED.fullmatch(name)
    return numbered[1] if numbered else name


def _started(bare: str) -> Iterator[str]:
    for part in _BETWEEN_COMMANDS.split(bare):
        expected, before = True, ""
        for word in part.split():
            if not expected:
                expected = word.lower() in _BEFORE_CODE
            elif not (word.startswith("-") or "=" in word or word[0].isdigit()):
                program = program_of(word)
                yield program
                # A word after an option may be its value, and the next one the program.
                expected = program in _STARTERS or before.startswith("-")
            before = word
