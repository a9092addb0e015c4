"""An identity provider whose keys are no secret: the same at every start, so that tokens in the
corpus stay good.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from symphony_server.access.json_web_tokens import JwtVerifier
from symphony_server.access.key_set import KeySet

ISSUER: Final = "https://id.example.com"
AUDIENCE: Final = "symphony"
LAST_SECOND: Final = 4_000_000_000
"""Until 2096."""
_ED: Final = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_EC: Final = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
PRIVATE_KEYS: Final[Mapping[str, tuple[str, Any]]] = {"ed": ("EdDSA", _ED), "ec": ("ES256", _EC)}
"""Key id → its algorithm and key."""


def _public_keys() -> dict[str, PyJWK]:
    written = {
        "ed": OKPAlgorithm.to_jwk(_ED.public_key()),
        "ec": ECAlgorithm.to_jwk(_EC.public_key()),
    }
    return {
        key_id: PyJWK({**json.loads(text), "kid": key_id, "alg": PRIVATE_KEYS[key_id][0]})
        for key_id, text in written.items()
    }


class KnownKeys(KeySet):
    """The provider's keys, without a document that is read again."""

    def __init__(self) -> None:
        super().__init__("")
        self._known = _public_keys()

    async def find(self, key_id: str) -> PyJWK | None:
        return self._known.get(key_id)


VERIFIER: Final = JwtVerifier(issuer=ISSUER, audience=AUDIENCE, keys=KnownKeys())


def good_token(key_id: str = "ed", **claims: Any) -> str:
    """A token that is taken."""
    algorithm, key = PRIVATE_KEYS[key_id]
    said = {"iss": ISSUER, "aud": AUDIENCE, "exp": LAST_SECOND, "sub": "x", **claims}
    return jwt.encode(said, key, algorithm=algorithm, headers={"kid": key_id})


def signed(header: bytes, payload: bytes) -> str:
    """A token with any bytes for its header and claims, signed rightly with the `ed` key."""
    message = b".".join(map(base64url, (header, payload)))
    return (message + b"." + base64url(_ED.sign(message))).decode()


def base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
