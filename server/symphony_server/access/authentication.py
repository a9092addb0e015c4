"""From a call's metadata to its caller."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cachetools import TTLCache
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_pb2 import CredentialKind, Token
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_pb2 import User
from symphony_server.access.caller import ACT_AS_ROLES, Caller, Subject
from symphony_server.access.credentials import is_well_formed, secret_hash
from symphony_server.access.json_web_tokens import JwtExpired, JwtInvalid, JwtVerifier
from symphony_server.clock import MICROSECONDS, now_us, timestamp_us
from symphony_server.refusal import Refused, Violation

AUTHORIZATION: Final = "authorization"
ACT_AS: Final = "x-symphony-act-as"
_RESERVED: Final = "x-symphony-"
_BEARER: Final = "bearer "
_USER_ID: Final = re.compile(r"user_[0-7][0-9a-hjkmnp-tv-z]{25}")

CACHE_SECONDS: Final = 0.5
"""How long an identity read from the database may be used. A revocation must hold in every
other process within 1 s (access.md); in this one `forget` makes it hold at once."""
CACHE_ENTRIES: Final = 10_000
USE_RECORDED_SECONDS: Final = 60
"""A token's last use is kept to the minute, so that a busy token costs no write a call."""


class Identities(Protocol):
    """Where users and tokens are looked up."""

    async def by_secret_hash(self, secret_hash: bytes) -> tuple[Token, User] | None:
        """The token with this SHA-256 and its user, or None."""

    async def by_email(self, email: str) -> User | None:
        """The user with an address, compared without regard to case, or None."""

    async def by_user_id(self, user_id: str) -> User | None:
        """The user with an id, or None."""

    def used(self, token_id: str) -> None:
        """Note that a token was used, some time soon; never fails."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Whose a credential is."""

    principal: Subject
    kind: CredentialKind.ValueType
    token: Token | None = None


class Authenticator:
    """Tells who is calling, from what came with the call and not from the request."""

    def __init__(self, identities: Identities, jwt: JwtVerifier | None = None) -> None:
        """Take the place where users and tokens are looked up, and what checks JWTs, if any."""
        self._identities = identities
        self._jwt = jwt
        self._known: TTLCache[bytes, _Known] = TTLCache(CACHE_ENTRIES, CACHE_SECONDS)
        self._users: TTLCache[str, Subject] = TTLCache(CACHE_ENTRIES, CACHE_SECONDS)

    def forget(self) -> None:
        """Read every identity afresh from now on: a token or a user has changed."""
        self._known.clear()
        self._users.clear()

    async def authenticate(
        self, metadata: Mapping[str, str], certificate_names: Sequence[str] = ()
    ) -> Caller:
        """The caller: by bearer credential, else by the names in its client certificate.

        Raises Refused: CREDENTIALS_MISSING, CREDENTIALS_INVALID, CREDENTIALS_EXPIRED,
        USER_SUSPENDED or ACT_AS_NOT_ALLOWED.
        """
        header = metadata.get(AUTHORIZATION)
        if header is None and certificate_names:
            known = await self._by_certificate(certificate_names)
        else:
            known = await self._by_bearer(_bearer(header))
        principal = known.principal
        if known.token is not None and known.token.HasField("expire_time"):
            _refuse_expired(known.token)
        if principal.suspended:
            raise _suspended("your account is suspended; ask an ADMIN to make it ACTIVE again")
        user = principal
        for key in metadata:
            if key.startswith(_RESERVED):
                user = await self._acted_for(key, metadata[key], principal)
        return Caller(user=user, principal=principal, credential_kind=known.kind, token=known.token)

    async def _by_bearer(self, secret: str) -> _Known:
        key = secret_hash(secret)
        known: _Known | None = self._known.get(key)
        if known is None:
            if self._jwt is not None and secret.count(".") == 2:
                known = await self._by_jwt(self._jwt, secret)
            else:
                known = await self._by_token(secret, key)
            self._known[key] = known
        return known

    async def _by_token(self, secret: str, key: bytes) -> _Known:
        if not is_well_formed(secret):
            raise _invalid(
                "the bearer token is not a Symphony access token; it may be cut off or mistyped"
            )
        found = await self._identities.by_secret_hash(key)
        if found is None:
            raise _invalid("the access token is not known; it may have been revoked")
        token, user = found
        last_used_us = timestamp_us(token.last_used_time)
        if now_us() - last_used_us > USE_RECORDED_SECONDS * MICROSECONDS:
            self._identities.used(token.id)
        return _Known(Subject.of(user), CredentialKind.CREDENTIAL_KIND_TOKEN, token)

    async def _by_jwt(self, jwt: JwtVerifier, secret: str) -> _Known:
        try:
            named = await jwt.verify(secret)
        except JwtExpired as error:
            expired = Timestamp(seconds=error.expire_seconds).ToJsonString()
            raise Refused(
                [
                    Violation(
                        ErrorReason.ERROR_REASON_CREDENTIALS_EXPIRED,
                        str(error),
                        metadata={"expire_time": expired},
                    )
                ]
            ) from None
        except JwtInvalid as error:
            raise _invalid(str(error)) from None
        user = await self._named(named.subject) or await self._named(named.email)
        if user is None:
            raise _invalid("the JWT names no user of this service")
        return _Known(Subject.of(user), CredentialKind.CREDENTIAL_KIND_JWT)

    async def _by_certificate(self, names: Sequence[str]) -> _Known:
        for name in names:
            user = await self._named(name)
            if user is not None:
                return _Known(Subject.of(user), CredentialKind.CREDENTIAL_KIND_CERTIFICATE)
        raise _invalid("the client certificate names no user of this service")

    async def _named(self, name: str) -> User | None:
        """The user with an id or an e-mail address."""
        if _USER_ID.fullmatch(name):
            return await self._identities.by_user_id(name)
        return await self._identities.by_email(name) if "@" in name else None

    async def _acted_for(self, key: str, user_id: str, principal: Subject) -> Subject:
        if key != ACT_AS:
            raise _act_as_refused(
                f"metadata {key} is not taken; the only one that names a user is {ACT_AS}", key
            )
        if not _USER_ID.fullmatch(user_id):
            raise Refused(
                [
                    Violation(
                        ErrorReason.ERROR_REASON_FIELD_INVALID,
                        "must be a user id such as user_01jz8r4t5vfxh8m0q2n3p4s5t6",
                        field=ACT_AS,
                        rule="string.pattern",
                    )
                ]
            )
        if user_id == principal.id:
            return principal
        if not ACT_AS_ROLES & principal.roles:
            raise _act_as_refused("acting for another user needs the role SERVICE or ADMIN", ACT_AS)
        subject: Subject | None = self._users.get(user_id)
        if subject is None:
            user = await self._identities.by_user_id(user_id)
            if user is None:
                raise _act_as_refused("there is no such user to act for", ACT_AS)
            subject = self._users[user_id] = Subject.of(user)
        if subject.suspended:
            raise _suspended("the user you act for is suspended")
        return subject


def _bearer(header: str | None) -> str:
    if header is None:
        raise Refused(
            [
                Violation(
                    ErrorReason.ERROR_REASON_CREDENTIALS_MISSING,
                    "no credentials came with the call; send the metadata "
                    "'authorization: Bearer <token>'",
                )
            ]
        )
    if header[: len(_BEARER)].lower() != _BEARER:
        raise _invalid("the authorization metadata must begin with 'Bearer '")
    return header[len(_BEARER) :].strip()


def _refuse_expired(token: Token) -> None:
    if timestamp_us(token.expire_time) <= now_us():
        expired = token.expire_time.ToJsonString()
        raise Refused(
            [
                Violation(
                    ErrorReason.ERROR_REASON_CREDENTIALS_EXPIRED,
                    f"the access token expired at {expired}; make another",
                    metadata={"expire_time": expired},
                )
            ]
        )


def _invalid(description: str) -> Refused:
    return Refused([Violation(ErrorReason.ERROR_REASON_CREDENTIALS_INVALID, description)])


def _suspended(description: str) -> Refused:
    return Refused([Violation(ErrorReason.ERROR_REASON_USER_SUSPENDED, description)])


def _act_as_refused(description: str, key: str) -> Refused:
    return Refused([Violation(ErrorReason.ERROR_REASON_ACT_AS_NOT_ALLOWED, description, field=key)])
