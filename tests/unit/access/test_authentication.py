"""Who is told to be calling, by credentials of each kind."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_pb2 import CredentialKind, Token
from symphony.v1.user_pb2 import Role, User, UserState
from symphony_server.access.authentication import ACT_AS, AUTHORIZATION, Authenticator
from symphony_server.access.credentials import new_secret, secret_hash
from symphony_server.clock import MICROSECONDS, now_us
from symphony_server.refusal import Refused

SERVICE = User(
    id="user_01h455vb4pex5vsknk084sn02q",
    email="conductor@example.com",
    roles=[Role.ROLE_SERVICE],
    state=UserState.USER_STATE_ACTIVE,
)
ADA_ID = "user_01h455vb4pex5vsknk084sn02r"
HOUR_US = 3600 * MICROSECONDS


class Identities:
    """The users and tokens there are; counts how often they are looked up by id."""

    def __init__(self) -> None:
        self.users = {
            user.id: user
            for user in (
                SERVICE,
                User(id=ADA_ID, email="ada@example.com", state=UserState.USER_STATE_ACTIVE),
            )
        }
        self.tokens: dict[bytes, Token] = {}
        self.lookups = 0

    def secret(self, *, expires_us: int | None = None) -> str:
        made = new_secret()
        token = Token(id="token_01h455vb4pex5vsknk084sn02q", user_id=SERVICE.id)
        if expires_us is not None:
            token.expire_time.CopyFrom(Timestamp())
            token.expire_time.FromMicroseconds(expires_us)
        self.tokens[secret_hash(made)] = token
        return made

    async def by_secret_hash(self, secret_hash: bytes) -> tuple[Token, User] | None:
        token = self.tokens.get(secret_hash)
        return None if token is None else (token, self.users[token.user_id])

    async def by_email(self, email: str) -> User | None:
        return next((user for user in self.users.values() if user.email == email), None)

    async def by_user_id(self, user_id: str) -> User | None:
        self.lookups += 1
        return self.users.get(user_id)

    def used(self, token_id: str) -> None:
        pass


@pytest.fixture
def identities() -> Identities:
    return Identities()


@pytest.fixture
def authenticator(identities: Identities) -> Authenticator:
    return Authenticator(identities)


def bearer(secret: str, **more: str) -> dict[str, str]:
    return {AUTHORIZATION: f"Bearer {secret}", **more}


async def refused(authenticator: Authenticator, metadata: dict[str, str]) -> Refused:
    with pytest.raises(Refused) as caught:
        await authenticator.authenticate(metadata)
    return caught.value


async def test_a_token_is_taken_until_it_expires(
    identities: Identities, authenticator: Authenticator
) -> None:
    lasting = identities.secret(expires_us=now_us() + HOUR_US)
    caller = await authenticator.authenticate(bearer(lasting))
    assert caller.user.id == SERVICE.id
    assert caller.credential_kind == CredentialKind.CREDENTIAL_KIND_TOKEN
    over = identities.secret(expires_us=now_us() - 1)
    refusal = await refused(authenticator, bearer(over))
    assert refusal.first.reason_name == "CREDENTIALS_EXPIRED"
    assert refusal.first.metadata["expire_time"] in refusal.first.description


async def test_a_token_that_is_remembered_expires_on_time(
    identities: Identities, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = identities.secret(expires_us=now_us() + HOUR_US)
    await authenticator.authenticate(bearer(secret))
    later = now_us() + HOUR_US
    monkeypatch.setattr("symphony_server.access.authentication.now_us", lambda: later)
    refusal = await refused(authenticator, bearer(secret))
    assert refusal.first.reason_name == "CREDENTIALS_EXPIRED"


async def test_one_who_is_acted_for_is_looked_up_once_until_users_change(
    identities: Identities, authenticator: Authenticator
) -> None:
    metadata = bearer(identities.secret(), **{ACT_AS: ADA_ID})
    for _ in range(3):
        caller = await authenticator.authenticate(metadata)
        assert (caller.user.id, caller.principal.id) == (ADA_ID, SERVICE.id)
    assert identities.lookups == 1
    identities.users[ADA_ID].state = UserState.USER_STATE_SUSPENDED
    authenticator.forget()
    assert (await refused(authenticator, metadata)).first.reason_name == "USER_SUSPENDED"


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("sym_cut", "checksum is wrong"),
        ("ab.cd.ef", "is a JWT, of which this server takes none"),
        ("password", "does not begin with sym_"),
        ("", "does not begin with sym_"),
        (new_secret(), "is not known"),
    ],
    ids=["cut off", "jwt", "password", "nothing", "unknown"],
)
async def test_why_a_bearer_token_is_not_taken_is_told(
    secret: str, says: str, authenticator: Authenticator
) -> None:
    refusal = await refused(authenticator, bearer(secret))
    assert refusal.first.reason_name == "CREDENTIALS_INVALID"
    assert says in refusal.first.description
