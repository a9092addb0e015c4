"""What is said about each credential that a server refuses, and what to do next about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_service_pb2 import CreateTokenRequest, RevokeTokenRequest
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony_client import errors
from symphony_client.errors import StatusDetails
from symphony_command.credentials import Sent, sent
from symphony_command.next_steps import next_step
from tests.command.terminal import Terminal
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider
from tests.server.world import World

ANOTHER_TOKEN = "symphony token create --user EMAIL"
ANOTHER_JWT = "get another JWT from the identity provider."
A_JWT = "get a JWT for this service from its identity provider"


class Known:
    """A server that takes JWTs too, and its identity provider."""

    def __init__(self, directory: Path) -> None:
        self.provider = Provider(directory / "keys.json")
        self.world = World(
            directory,
            jwt_issuer=ISSUER,
            jwt_audience=AUDIENCE,
            jwt_keys=str(self.provider.path),
        )

    def jwt(self, **claims: Any) -> str:
        return self.provider.token(sub=self.world.admin.id, **claims)

    def revoked(self) -> str:
        admin = self.world.admin
        made = admin.get(admin.access.CreateToken, CreateTokenRequest(name="short"))
        admin.get(admin.access.RevokeToken, RevokeTokenRequest(id=made.token.id))
        return str(made.secret)

    def expired(self) -> str:
        admin = self.world.admin
        soon = Timestamp()
        soon.FromNanoseconds(time.time_ns() + 1_500_000_000)
        request = CreateTokenRequest(name="brief", expire_time=soon)
        made = admin.get(admin.access.CreateToken, request)
        while time.time_ns() <= soon.ToNanoseconds():
            admin.get(admin.info.GetServerInfo, GetServerInfoRequest())
        return str(made.secret)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    known = Known(tmp_path_factory.mktemp("known"))
    with known.world:
        yield known


REFUSED: dict[str, tuple[Callable[[Known], str], str, str]] = {
    "a revoked token": (Known.revoked, "it may have been revoked", ANOTHER_TOKEN),
    "an expired token": (Known.expired, "the access token expired at", ANOTHER_TOKEN),
    "a mistyped token": (lambda _: "sym_" + "0" * 49, "checksum is wrong", ANOTHER_TOKEN),
    "no token at all": (lambda _: "nonsense", "nor a JWT", ANOTHER_TOKEN),
    "an expired JWT": (
        lambda known: known.jwt(exp=int(time.time()) - 60),
        "the JWT has expired",
        ANOTHER_JWT,
    ),
    "another issuer's": (lambda known: known.jwt(iss="https://else"), "another issuer", A_JWT),
    "another service's": (lambda known: known.jwt(aud="else"), "another audience", A_JWT),
    "nobody's": (lambda known: known.provider.token(sub="x"), "names no user", A_JWT),
    "a malformed JWT": (lambda _: "a.b.c", "has three parts as a JWT has", A_JWT),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_with_a_credential_is_told_and_where_to_get_another(
    known: Known, tmp_path: Path, what: str
) -> None:
    make, words, next_words = REFUSED[what]
    secret = make(known)
    shown = Terminal(tmp_path, known.world.server.target, secret).run("whoami")
    assert shown.code == 4
    said, _, to_do = " ".join(shown.err.split()).partition("Next: ")
    assert words in said
    assert next_words in to_do
    assert ("JWT" in to_do) == (secret.count(".") == 2)
    assert secret not in shown.err


def test_a_server_without_an_identity_provider_says_that_it_takes_no_jwt(
    world: World, known: Known, tmp_path: Path
) -> None:
    shown = Terminal(tmp_path, world.server.target, known.jwt()).run("whoami")
    assert "a JWT, of which this server takes none" in shown.err


def test_whoever_sent_a_certificate_alone_is_told_about_certificates() -> None:
    refused = errors.NotAuthenticated("", StatusDetails(reason="CREDENTIALS_INVALID"))
    assert "certificate" in next_step(refused, sent(None, certificate=True))
    assert "certificate" not in next_step(refused, sent("sym_x", certificate=True))
    assert sent(None, certificate=False) is Sent.NOTHING
