"""Request ids as metadata can carry them."""

from __future__ import annotations

import re
from typing import Final

_REQUEST_ID: Final = re.compile(r"[!-~]{1,64}")


def is_request_id(text: str | None) -> bool:
    """True for 1 to 64 visible ASCII characters, which is also the contract's rule."""
    return text is not None and _REQUEST_ID.fullmatch(text) is not None
