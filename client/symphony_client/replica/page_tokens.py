"""The replica's page tokens, which never pass for the server's, nor the server's for these.

They hold a position and nothing secret: whoever makes one up only starts elsewhere in a list of
their own. So they need no key, and any replica takes those of another.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Final

from symphony_client.resources.resource_table import Position

_MARK: Final = "replica."
"""Begins each token; a full stop is in none of the server's."""
_DIGEST_BYTES: Final = 8


def page_token(request: Any, position: Position) -> str:
    """The token of the page after a position in the list that is asked for."""
    payload = json.dumps(position, separators=(",", ":")).encode()
    token = _digest(request, payload) + payload
    return _MARK + base64.urlsafe_b64encode(token).decode()


def read_page_token(request: Any) -> Position | None:
    """The position in the request's token; None where no replica wrote it for this list, so that
    the server is to judge it.
    """
    token: str = request.page_token
    if not token.startswith(_MARK):
        return None
    try:
        read = base64.b64decode(token.removeprefix(_MARK), altchars=b"-_", validate=True)
        digest, payload = read[:_DIGEST_BYTES], read[_DIGEST_BYTES:]
        key, resource_id = json.loads(payload)
    except (ValueError, TypeError):
        return None
    if digest != _digest(request, payload):
        return None
    return (key, resource_id) if isinstance(key, str | int) else None


def _digest(request: Any, payload: bytes) -> bytes:
    # As on the server a token is bound to the filters and the order, not to the page's size.
    query = type(request)()
    query.CopyFrom(request)
    query.ClearField("page_token")
    query.ClearField("page_size")
    said = f"{request.DESCRIPTOR.full_name}\0".encode()
    said += query.SerializeToString(deterministic=True) + b"\0" + payload
    return hashlib.sha256(said).digest()[:_DIGEST_BYTES]
