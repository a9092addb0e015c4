"""Page tokens: where a page ended, signed, and good for one query of one user only."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation

KEY_NAME: Final = "page_tokens"
KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 16  # 128 bits


class PageToken(BaseModel):
    """What a page token says; it names no columns."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    k: str | int
    """The sort key of the last row."""
    i: str | int
    """The id of the last row."""


class PageTokens:
    """Writes and reads page tokens with a key that all servers on one database share."""

    def __init__(self, key: bytes) -> None:
        """Take the signing key."""
        self._key = key

    def write(self, query: bytes, key: str | int, last_id: str | int) -> str:
        """The token for the page after a row, good only for `query`."""
        payload = PageToken(k=key, i=last_id).model_dump_json().encode()
        return base64.urlsafe_b64encode(self._sign(query, payload) + payload).decode()

    def read(self, query: bytes, token: str) -> PageToken:
        """What a token of `query` says. Raises Refused with PAGE_TOKEN_INVALID."""
        try:
            raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
            signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            # Base64 has several spellings of the same bytes; only the one given out is taken.
            as_written = base64.urlsafe_b64encode(raw).decode() == token
            if hmac.compare_digest(signature, self._sign(query, payload)) and as_written:
                return PageToken.model_validate_json(payload)
        except (ValueError, ValidationError):
            pass
        raise Refused(
            [
                Violation(
                    ErrorReason.ERROR_REASON_PAGE_TOKEN_INVALID,
                    "is not the next_page_token of a list with these filters and order; "
                    "leave it out to start from the first page",
                    field="page_token",
                )
            ]
        )

    def _sign(self, query: bytes, payload: bytes) -> bytes:
        digest = hmac.digest(self._key, query + b"\x00" + payload, "sha256")
        return digest[:_SIGNATURE_BYTES]


def query_fingerprint(method: str, user_id: str, request: Any) -> bytes:
    """What a page token is bound to: the method, the user, and the request's filters and
    order. The page size may change from page to page (AIP-158).
    """
    query = type(request)()
    query.CopyFrom(request)
    query.ClearField("page_token")
    query.ClearField("page_size")
    said = f"{method}\x00{user_id}\x00".encode() + query.SerializeToString(deterministic=True)
    return hashlib.sha256(said).digest()
