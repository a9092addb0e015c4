"""The switch in the environment: `SYMPHONY_PREVALIDATION`."""

from __future__ import annotations

import os
from typing import Final

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
