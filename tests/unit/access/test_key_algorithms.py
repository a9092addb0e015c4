"""A key says by which algorithm it is to be used, and only some are taken."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from symphony_server.access.json_web_tokens import JwtInvalid, JwtVerifier
from symphony_server.access.key_set import KeySet
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider

_RSA = rsa.generate_private_key(65537, 2048)
_EC = ec.generate_private_key(ec.SECP384R1())
_SHARED = b"s" * 64

OTHERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "HS256": (_SHARED, {"kty": "oct", "k": base64.urlsafe_b64encode(_SHARED).decode()}),
    "RS512": (_RSA, json.loads(RSAAlgorithm.to_jwk(_RSA.public_key()))),
    "PS256": (_RSA, json.loads(RSAAlgorithm.to_jwk(_RSA.public_key()))),
    "ES384": (_EC, json.loads(ECAlgorithm.to_jwk(_EC.public_key()))),
}
"""The key to sign with, and how it is listed, by an algorithm that is not taken."""


def verifier(path: Path) -> JwtVerifier:
    return JwtVerifier(issuer=ISSUER, audience=AUDIENCE, keys=KeySet(str(path)))


@pytest.mark.parametrize("algorithm", OTHERS)
async def test_a_token_by_another_algorithm_is_refused_though_its_key_is_listed(
    algorithm: str, tmp_path: Path
) -> None:
    private, listed = OTHERS[algorithm]
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{**listed, "kid": "other", "alg": algorithm}]}))
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, "sub": "x"}
    token = jwt.encode(claims, private, algorithm=algorithm, headers={"kid": "other"})
    with pytest.raises(JwtInvalid, match=f"the JWT's key is for {algorithm}, which is not taken"):
        await verifier(path).verify(token)


@pytest.mark.parametrize("key_id", ["rsa", "ec", "ed"])
async def test_a_token_by_each_algorithm_that_is_taken_names_its_subject(
    key_id: str, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    token = Provider(path).token(key_id, sub="x", email="ada@example.com")
    named = await verifier(path).verify(token)
    assert (named.subject, named.email) == ("x", "ada@example.com")
