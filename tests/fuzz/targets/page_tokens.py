"""A list's page token.

The first byte says what the rest is: 0 a token as it comes, otherwise what a token would say,
signed with the server's own key, so that what is behind the signature is reached too.
"""

from __future__ import annotations

import base64
import hmac
from typing import Final

from symphony_server.refusal import Refused
from symphony_server.use_cases.page_tokens import PageTokens
from tests.e2e.wire import tells_insides

MAX_BYTES: Final = 2048
KEY: Final = bytes(range(32))
QUERY: Final = b"what the list was asked"
GIVEN: Final[tuple[tuple[str | int, str | int], ...]] = (
    ("a name", "workflow_01h455vb4pex5vsknk084sn02q"),
    (1_700_000_000_000_000, 7),
)
"""The rows after which a page was given."""
_TOKENS: Final = PageTokens(KEY)
_WRITTEN: Final = {_TOKENS.write(QUERY, *row): row for row in GIVEN}


def try_one(data: bytes) -> None:
    """Read the token; only one that was written is good, and only in the bytes that were."""
    signed = data[:1] != b"\0"
    token = _signed(data[1:]) if signed else data[1:].decode("latin-1")
    try:
        read = _TOKENS.read(QUERY, token)
    except Refused as refused:
        assert refused.first.reason_name == "PAGE_TOKEN_INVALID"
        assert not tells_insides(refused.first.description)
        assert token not in _WRITTEN
        return
    if not signed:
        assert (read.k, read.i) == _WRITTEN[token]
    try:
        _TOKENS.read(b"another query", token)
    except Refused:
        return
    raise AssertionError("a token is good for another query")


def _signed(payload: bytes) -> str:
    signature = hmac.digest(KEY, QUERY + b"\0" + payload, "sha256")[:16]
    return base64.urlsafe_b64encode(signature + payload).decode()
