"""What is wrong with each field, where only the message has the words.

A server with much to say leaves the sentences out of an error's details and tells as many of them
as it has room for in the message; of the rest it names field and rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from symphony_client.errors import Violation

_COUNTS: Final = re.compile(r"^\d+ things are wrong: |; and \d+ more$")
_NAMED_ONLY: Final = "; also "


def with_words(violations: Sequence[Violation], message: str) -> Iterator[Violation]:
    """The violations, each with a description: its own, the message's, or which rule it broke."""
    text = _COUNTS.sub("", message)
    told = text.partition(_NAMED_ONLY)[0]
    at = 0
    for number, violation in enumerate(violations):
        if violation.description or not violation.field:
            yield violation
            continue
        begin = told.find(_head(violation), at)
        words = ""
        if begin >= 0:
            begin += len(_head(violation))
            following = next((one for one in violations[number + 1 :] if one.field), None)
            at = told.find(f"; {_head(following)}", begin) if following else len(told)
            at = at if at >= 0 else len(told)
            words = told[begin:at]
        yield replace(violation, description=words or violation.rule)


def _head(violation: Violation) -> str:
    return f"{violation.field}: "
