from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_pb2 import CredentialKind
from symphony.v1.access_service_pb2 import WhoAmIRequest
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider
from tests.server.world import Person, Refusal, World


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path / "keys.json")


@pytest.fixture
def world(tmp_path: Path, provider: Provider) -> Any:
    with World(
        tmp_path, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_keys=str(provider.path)
    ) as made:
        yield made


def whoami(person: Person, token: str) -> Any:
    bearer = Person(person.channel, token)
    return bearer.get(bearer.access.WhoAmI, WhoAmIRequest())


def refused(person: Person, token: str) -> Refusal:
    bearer = Person(person.channel, token)
    return bearer.refused(bearer.access.WhoAmI, WhoAmIRequest())


@pytest.mark.parametrize("key_id", ["rsa", "ec", "ed"])
def test_a_token_of_the_provider_names_a_user(
    world: World, provider: Provider, key_id: str
) -> None:
    person = world.user()
    by_id = whoami(person, provider.token(key_id, sub=person.id))
    by_email = whoami(person, provider.token(key_id, sub="x", email=person.user.email.upper()))
    assert by_id.user == by_email.user == person.user
    assert by_id.credential_kind == CredentialKind.CREDENTIAL_KIND_JWT


def test_an_expired_token_is_told_from_a_wrong_one(world: World, provider: Provider) -> None:
    person = world.user()
    a_minute_ago = int(time.time()) - 60
    refusal = refused(person, provider.token(sub=person.id, exp=a_minute_ago))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "CREDENTIALS_EXPIRED",
    )
    expired = Timestamp()
    expired.FromJsonString(refusal.metadata["expire_time"])
    assert expired.seconds == a_minute_ago


def test_an_expiry_beyond_all_calendars_is_no_fault(world: World, provider: Provider) -> None:
    person = world.user()
    refusal = refused(person, provider.token(sub=person.id, exp=-(10**15)))
    assert refusal.code == grpc.StatusCode.UNAUTHENTICATED


def test_forged_and_altered_tokens_are_refused(world: World, provider: Provider) -> None:
    person = world.user()
    good = provider.token(sub=person.id)
    header, payload, signature = good.split(".")
    other = Provider(provider.path.with_name("other.json"))
    without_algorithm = (
        base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT","kid":"rsa"}').rstrip(b"=").decode()
    )
    public_pem = b"-----BEGIN PUBLIC KEY-----"
    forged = {
        "another issuer": provider.token(sub=person.id, iss="https://evil.example.com"),
        "another audience": provider.token(sub=person.id, aud="other"),
        "no audience": provider.token(sub=person.id, aud=None),
        "no expiry": provider.token(sub=person.id, exp=None),
        "not yet": provider.token(sub=person.id, nbf=int(time.time()) + 3600),
        "another key": other.token(sub=person.id),
        "an unlisted key": provider.token(sub=person.id, key_id="rsa").replace(
            header, header[:-2] + "AA"
        ),
        "no signature": f"{header}.{payload}.",
        "a cut signature": f"{header}.{payload}.{signature[:-4]}",
        "another payload": f"{header}.{payload[:-4]}AAAA.{signature}",
        "the public key as a shared secret": provider.token(
            sub=person.id, algorithm="HS256", key=public_pem * 4
        ),
        "no algorithm": f"{without_algorithm}.{payload}.",
        "no user": provider.token(sub="nobody"),
        "an unverified address": provider.token(
            sub="x", email=person.user.email, email_verified=False
        ),
        "garbage": "a.b.c",
        "too long": "a" * 5000 + ".b.c",
    }
    for what, token in forged.items():
        assert refused(person, token).reason == "CREDENTIALS_INVALID", what
    assert whoami(person, good).user == person.user


def test_keys_are_rotated_without_a_restart(
    world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony_server.access.key_set.RETRY_SECONDS", 0.0)
    person = world.user()
    provider.publish("rsa")
    assert whoami(person, provider.token("rsa", sub=person.id)).user == person.user
    assert refused(person, provider.token("ec", sub=person.id)).reason == "CREDENTIALS_INVALID"
    provider.publish("ec")
    assert whoami(person, provider.token("ec", sub=person.id)).user == person.user
    # The document was read again for the new key, and the old one is gone with it.
    assert refused(person, provider.token("rsa", sub=person.id, jti="2")).reason == (
        "CREDENTIALS_INVALID"
    )


def test_a_key_set_that_cannot_be_read_leaves_the_keys_as_they_were(
    world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symphony_server.access.key_set.RETRY_SECONDS", 0.0)
    person = world.user()
    assert whoami(person, provider.token(sub=person.id)).user == person.user
    provider.path.write_text("not json")
    assert refused(person, "a.b.c").reason == "CREDENTIALS_INVALID"
    assert whoami(person, provider.token(sub=person.id, jti="2")).user == person.user
