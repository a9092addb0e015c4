"""The contract's patterns, written for RE2, as Python's regular expressions."""

from __future__ import annotations

import re
from typing import Final

# What is in the classes does not change any more (Unicode's stability policy for Cc and Z but for
# new blanks, of which a text with one would only be looked at twice).
_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f"
_SEPARATORS: Final = r"\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WHITE_SPACE: Final = r"\t\n\f\r\x20"  # RE2's knows no others

_IN_CLASS: Final = {r"\p{Cc}": _CONTROLS, r"\p{Z}": _SEPARATORS, r"\s": _WHITE_SPACE}
_OUT_OF_CLASS: Final = {
    **{name: f"[{members}]" for name, members in _IN_CLASS.items()},
    r"\P{Cc}": f"[^{_CONTROLS}]",
    r"\P{Z}": f"[^{_SEPARATORS}]",
    r"\S": f"[^{_WHITE_SPACE}]",
}
_PUNCTUATION: Final = re.compile(r"\\[^A-Za-z0-9]")
# Flags, and what Python reads otherwise in and about classes and counts.
_UNSURE: Final = re.compile(r"\(\?|\{,|\[\^?\]|\[[^]]*(?:\[|&&|--|~~)")
_SIGN: Final = re.compile(r"\\[pP]\{\w+\}|\\.|.", re.DOTALL)


def python_pattern(pattern: str) -> re.Pattern[str] | None:
    """Returns what `fullmatch`es the texts that an anchored pattern matches; None for one that is
    not anchored at both ends or has something in it that is not known here.
    """
    if not (pattern.startswith("^") and pattern.endswith("$")) or pattern.endswith(r"\$"):
        return None
    if _UNSURE.search(pattern):
        return None
    written, in_class, depth = "", False, 0
    for sign in _SIGN.findall(pattern[1:-1]):
        known = _IN_CLASS if in_class else _OUT_OF_CLASS
        if sign.startswith("\\") and not _PUNCTUATION.fullmatch(sign):
            if sign not in known:
                return None
            written += known[sign]
            continue
        if not in_class and (sign in "^$" or (sign == "|" and depth == 0)):
            return None
        depth += 0 if in_class else {"(": 1, ")": -1}.get(sign, 0)
        # What a group matches is of no use, and to keep it costs time.
        written += "(?:" if sign == "(" and not in_class else sign
        in_class = sign != "]" if in_class else sign == "["
    return re.compile(written)
