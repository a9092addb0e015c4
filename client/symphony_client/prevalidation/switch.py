"""The switch in the environment: `SYMPHONY_PREVALIDATION`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from symphony_client.prevalidation.pre_validator import PreValidator

VARIABLE: Final = "SYMPHONY_PREVALIDATION"

_MEANINGS: Final = {"": True, "on": True, "off": False}


def is_switched_on() -> bool:
    """Returns False if the environment says `SYMPHONY_PREVALIDATION=off` at this moment.

    Raises:
        ValueError: the variable is neither `on` nor `off`.
    """
    value = os.environ.get(VARIABLE, "")
    meaning = _MEANINGS.get(value.strip().lower())
    if meaning is None:
        raise ValueError(f"{VARIABLE} takes on or off, not {value!r}")
    return meaning


def unless_switched_off(make: Callable[[], PreValidator[Any]]) -> PreValidator[Any]:
    """Returns the pre-validator that is made, or one that lets everything pass if the environment
    says so at this moment.

    Raises:
        ValueError: the variable is neither `on` nor `off`.
    """
    return make() if is_switched_on() else _Unchecked()


class _Unchecked:
    def should_attempt_request(self, request: object) -> None:
        """Returns, whatever the request."""
