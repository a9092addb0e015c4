"""Ids as the TypeID specification writes them, counted instead of drawn."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, as TypeID has it
_LENGTH: Final = 26
_VERSION_7: Final = 7 << 76
_VARIANT: Final = 2 << 62


def counted_id(prefix: str, time_us: int, number: int) -> str:
    """The id whose UUIDv7 has a time, and a number where others have random bits."""
    uuid = (time_us // 1000) << 80 | _VERSION_7 | _VARIANT | number
    digits = (_DIGITS[uuid >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return f"{prefix}_{''.join(digits)}"
