"""An identity provider to test with: its keys, its JWKS in a file, and tokens that it signs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://id.example.com", "symphony"


class Provider:
    """An identity provider with a key of each kind, and its JWKS in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: dict[str, tuple[str, Any]] = {
            "rsa": ("RS256", rsa.generate_private_key(65537, 2048)),
            "ec": ("ES256", ec.generate_private_key(ec.SECP256R1())),
            "ed": ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
        }
        self.publish("rsa", "ec", "ed")

    def publish(self, *key_ids: str) -> None:
        writers: dict[str, Callable[..., Any]] = {
            "RS256": RSAAlgorithm.to_jwk,
            "ES256": ECAlgorithm.to_jwk,
            "EdDSA": OKPAlgorithm.to_jwk,
        }
        keys = []
        for key_id in key_ids:
            algorithm, private = self.keys[key_id]
            jwk = json.loads(writers[algorithm](private.public_key()))
            keys.append({**jwk, "kid": key_id, "alg": algorithm, "use": "sig"})
        self.path.write_text(json.dumps({"keys": keys}))

    def token(
        self, key_id: str = "rsa", *, algorithm: str = "", key: Any = None, **claims: Any
    ) -> str:
        known, private = self.keys[key_id]
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + 600, "nbf": now - 10, **claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(
            claims, key or private, algorithm=algorithm or known, headers={"kid": key_id}
        )
