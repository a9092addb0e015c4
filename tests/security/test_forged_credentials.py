"""Credentials that somebody made, took or kept: each in a table, none of them accepted.

What was only altered is in `tests/fuzz/credential_mutations.py`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from symphony.v1.access_service_pb2 import CreateTokenRequest, RevokeTokenRequest, WhoAmIRequest
from symphony.v1.user_pb2 import User, UserState
from symphony.v1.user_service_pb2 import DeleteUserRequest, UpdateUserRequest
from tests import engines
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider
from tests.server.world import Person, Refusal, World

ENGINES = engines.ALL


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path / "keys.json")


@pytest.fixture
def world(tmp_path: Path, database_url: str, provider: Provider) -> Iterator[World]:
    keys = str(provider.path)
    with World(
        tmp_path, database_url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_keys=keys
    ) as made:
        yield made


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Provider]]:
    """A server for many that change nothing."""
    directory = tmp_path_factory.mktemp("forged")
    provider = Provider(directory / "keys.json")
    keys = str(provider.path)
    with World(directory, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_keys=keys) as made:
        yield made, provider


def refused(world: World, credential: str) -> Refusal:
    bearer = Person(world.admin.channel, credential)
    return bearer.refused(bearer.access.WhoAmI, WhoAmIRequest())


def is_accepted(world: World, credential: str) -> bool:
    bearer = Person(world.admin.channel, credential)
    return bool(bearer.get(bearer.access.WhoAmI, WhoAmIRequest()).user.id)


def public_pem(provider: Provider, key_id: str) -> bytes:
    public = provider.keys[key_id][1].public_key()
    pem: bytes = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem


def base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def claims(user_id: str, **more: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, "sub": user_id, **more}


def with_header(provider: Provider, user_id: str, key_id: str = "rsa", **header: Any) -> str:
    """A token that is signed with the provider's own key, under a header of somebody else's."""
    algorithm, key = provider.keys[key_id]
    said = {"kid": key_id, **header}
    return jwt.encode(claims(user_id), key, algorithm=algorithm, headers=said)


def under_a_shared_secret(secret: bytes, user_id: str, **header: Any) -> str:
    """A token "signed" with HMAC under what everybody can read. By hand: PyJWT refuses to."""
    said = {"alg": "HS256", "typ": "JWT", **header}
    message = b".".join(base64url(json.dumps(part).encode()) for part in (said, claims(user_id)))
    signature = hmac.digest(secret, message, hashlib.sha256)
    return (message + b"." + base64url(signature)).decode()


def unsigned(user_id: str, algorithm: str) -> str:
    header = {"alg": algorithm, "typ": "JWT", "kid": "rsa"}
    return (
        ".".join(
            base64url(json.dumps(part).encode()).decode() for part in (header, claims(user_id))
        )
        + "."
    )


Forge = Callable[[Provider, str], str]
FORGED: Final[dict[str, Forge]] = {
    "no algorithm": lambda _, user: unsigned(user, "none"),
    "no algorithm, otherwise spelt": lambda _, user: unsigned(user, "nOnE"),
    "no signature": lambda _, user: unsigned(user, "RS256"),
    "the public key in PEM as a shared secret": lambda provider, user: under_a_shared_secret(
        public_pem(provider, "rsa"), user, kid="rsa"
    ),
    "the JWKS as a shared secret": lambda provider, user: under_a_shared_secret(
        provider.path.read_bytes(), user, kid="rsa"
    ),
    "the public key of ES256 as a shared secret": lambda provider, user: under_a_shared_secret(
        public_pem(provider, "ec"), user, kid="ec"
    ),
    "an empty shared secret": lambda _, user: under_a_shared_secret(b"", user, kid="/dev/null"),
    "a key id that is a path": lambda p, user: with_header(p, user, kid=str(p.path)),
    "a key id that climbs": lambda p, user: with_header(p, user, kid="../../rsa"),
    "a key id that is a statement": lambda p, user: with_header(p, user, kid="' OR 1=1; --"),
    "a key id that is empty": lambda p, user: with_header(p, user, kid=""),
    "the key id of another key": lambda p, user: with_header(p, user, kid="ec"),
    "a key that it brings itself": lambda p, user: with_header(
        Provider(p.path.with_name("own.json")), user, jwk={"kty": "oct", "k": "AAAA"}
    ),
    "the address of its own keys": lambda p, user: with_header(
        Provider(p.path.with_name("own.json")), user, jku="https://evil.example.com/keys.json"
    ),
    "a critical header that nobody knows": lambda p, user: with_header(
        p, user, crit=["symphony"], symphony=1
    ),
    "another issuer": lambda p, user: p.token(sub=user, iss="https://evil.example.com"),
    "an issuer that begins alike": lambda p, user: p.token(sub=user, iss=ISSUER + ".evil.com"),
    "another audience": lambda p, user: p.token(sub=user, aud="another"),
    "no issuer": lambda p, user: p.token(sub=user, iss=None),
    "no end": lambda p, user: p.token(sub=user, exp=None),
    "a beginning in the future": lambda p, user: p.token(sub=user, nbf=int(time.time()) + 3600),
    "made in the future": lambda p, user: p.token(sub=user, iat=int(time.time()) + 3600),
    "an end that is no number": lambda p, user: p.token(sub=user, exp="never"),
    "a user that is none": lambda p, _: p.token(sub="user_01h455vb4pex5vsknk084sn02q"),
    "half of a character for a user": lambda p, _: p.token(sub="\ud800@example.com"),
    "a user with U+0000 in it": lambda p, _: p.token(sub="\0@example.com"),
    "an address that is not verified, as the user": lambda p, _: p.token(
        sub="admin@example.com", email_verified=False
    ),
    "an address with U+0000 in it": lambda p, _: p.token(sub="x", email="a\0@example.com"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_token_is_refused(standing: tuple[World, Provider], what: str) -> None:
    world, provider = standing
    person = world.user()
    assert is_accepted(world, provider.token(sub=person.id))
    assert refused(world, FORGED[what](provider, person.id)).reason == "CREDENTIALS_INVALID"


def test_a_signature_in_other_characters_for_the_same_bytes_is_refused(
    world: World, provider: Provider
) -> None:
    """In the last character of base64 some bits say nothing, and most readers do not look."""
    good = provider.token("ed", sub=world.user().id)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = good[:-1] + alphabet[alphabet.index(good[-1]) ^ 1]
    assert base64.urlsafe_b64decode(twin.rpartition(".")[2] + "==") == base64.urlsafe_b64decode(
        good.rpartition(".")[2] + "=="
    )
    assert is_accepted(world, good)
    assert refused(world, twin).reason == "CREDENTIALS_INVALID"


def suspend(world: World, user: User) -> None:
    world.admin.get(
        world.admin.users.UpdateUser,
        UpdateUserRequest(user=User(id=user.id, state=UserState.USER_STATE_SUSPENDED)),
    )


def delete(world: World, user: User) -> None:
    world.admin.get(world.admin.users.DeleteUser, DeleteUserRequest(id=user.id))


@pytest.mark.parametrize(
    ("end", "reason"), [(suspend, "USER_SUSPENDED"), (delete, "CREDENTIALS_INVALID")]
)
def test_credentials_end_with_their_user(
    world: World, provider: Provider, end: Callable[[World, User], None], reason: str
) -> None:
    person = world.user()
    credentials = [str(person.secret), provider.token(sub=person.id)]
    for credential in credentials:
        assert is_accepted(world, credential)
    end(world, person.user)
    for credential in credentials:
        assert refused(world, credential).reason == reason


def test_a_token_is_no_ones_after_it_was_revoked_whoever_did_it(world: World) -> None:
    person = world.user()
    for revoker in (person, world.admin):
        made = person.get(person.access.CreateToken, CreateTokenRequest(name="stolen"))
        assert is_accepted(world, made.secret)
        revoker.get(revoker.access.RevokeToken, RevokeTokenRequest(id=made.token.id))
        assert refused(world, made.secret).reason == "CREDENTIALS_INVALID"


def test_a_token_revoked_at_another_server_is_refused_within_a_second(world: World) -> None:
    """The two share nothing but the database."""
    person = world.user()
    made = person.get(person.access.CreateToken, CreateTokenRequest(name="stolen"))
    thief = Person(world.admin.channel, made.secret)
    assert is_accepted(world, made.secret)
    with World(world.directory, world.database_url) as other:
        admin = Person(other.open_channel(), world.admin.secret)
        admin.get(admin.access.RevokeToken, RevokeTokenRequest(id=made.token.id))
        assert thief.refused_within_a_second().reason == "CREDENTIALS_INVALID"


def test_the_hash_that_the_database_has_is_no_credential(world: World) -> None:
    person = world.user()
    hashed = hashlib.sha256(str(person.secret).encode()).hexdigest()
    for credential in (hashed, f"sym_{hashed[:49]}"):
        assert refused(world, credential).reason == "CREDENTIALS_INVALID"
