"""A JSON Web Token of the identity provider.

The first byte says what the rest is: 0 a token as it comes; 1 the claims of one that the provider
signed; otherwise a header and claims, parted by a line break, that it signed.
"""

from __future__ import annotations

import json
import time
from typing import Any, Final

from symphony_server.access.authentication import Authenticator
from symphony_server.refusal import Refused
from tests.e2e.wire import tells_insides
from tests.fuzz.identity_provider import AUDIENCE, ISSUER, VERIFIER, good_token, signed
from tests.fuzz.known_identities import USER, KnownIdentities, finished

MAX_BYTES: Final = 2048
HEADER: Final = b'{"alg":"EdDSA","kid":"ed","typ":"JWT"}'
GOOD: Final = good_token(sub=USER.id)
_REASONS: Final = {"CREDENTIALS_INVALID", "CREDENTIALS_EXPIRED"}


def try_one(data: bytes) -> None:
    """Authenticate with the token; what the provider did not say is not taken."""
    kind, rest = data[:1], data[1:]
    claims = b""
    if kind == b"\0":
        token = rest.decode("latin-1")
    else:
        header, claims = (HEADER, rest) if kind == b"\1" else _parted(rest)
        token = signed(header, claims)
    authenticator = Authenticator(KnownIdentities(), VERIFIER)
    try:
        caller = finished(authenticator.authenticate({"authorization": f"Bearer {token}"}))
    except Refused as refused:
        assert refused.first.reason_name in _REASONS
        assert not tells_insides(refused.first.description)
        assert token != GOOD
        return
    assert caller.user.id == USER.id
    if kind == b"\0":
        assert token.strip() == GOOD
    else:
        _was_meant_for_us(json.loads(claims))


def _parted(data: bytes) -> tuple[bytes, bytes]:
    header, _, claims = data.partition(b"\n")
    return header, claims


def _was_meant_for_us(claims: dict[str, Any]) -> None:
    audience = claims["aud"]
    assert AUDIENCE in (audience if isinstance(audience, list) else [audience])
    assert claims["iss"] == ISSUER
    assert int(claims["exp"]) > time.time() - 10
    assert int(claims.get("nbf", 0)) < time.time() + 10
    if claims.get("sub") != USER.id:
        assert claims.get("email_verified", True) is True
        addresses = (claims.get("sub"), claims.get("email"))
        assert USER.email in [str(address).lower() for address in addresses]
