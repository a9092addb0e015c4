"""From a call's metadata to its caller."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_pb2 import CredentialKind, Token
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.user_pb2 import User
from symphony_server.access.caller import ACT_AS_ROLES, Caller, Subject
from symphony_server.access.credentials import PREFIX, is_well_formed, secret_hash
from symphony_server.access.fresh_cache import FreshCache
from symphony_server.access.json_web_tokens import JwtExpired, JwtInvalid, JwtVerifier
from symphony_server.clock import MICROSECONDS, now_us, timestamp_us
from symphony_server.refusal import Refused, Violation

AUTHORIZATION: Final = "authorization"
ACT_AS: Final = "x-symphony-act-as"
_RESERVED: Final = "x-symphony-"
_BEARER: Final = "bearer "
_USER_ID: Final = re.compile(r"user_[0-7][0-9a-hjkmnp-tv-z]{25}")
_IN_NO_ADDRESS: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of surrogate pairs, which JSON can say and no database keeps."""

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
    """Whose a credential is, and until when."""

    caller: Caller
    expire_time: Timestamp | None = None
    """When its token expires, if it does."""


class Authenticator:
    """Tells who is calling, from what came with the call and not from the request."""

    def __init__(self, identities: Identities, jwt: JwtVerifier | None = None) -> None:
        """Take the place where users and tokens are looked up, and what checks JWTs, if any."""
        self._identities = identities
        self._jwt = jwt
        self._known: FreshCache[str, _Known] = FreshCache(CACHE_ENTRIES, CACHE_SECONDS)
        self._users: FreshCache[str, Subject] = FreshCache(CACHE_ENTRIES, CACHE_SECONDS)

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
            known = self._known.get(header or "") or await self._by_bearer(header)
        caller = known.caller
        if known.expire_time is not None:
            _refuse_expired(known.expire_time)
        if caller.principal.suspended:
            raise _suspended("your account is suspended; ask an ADMIN to make it ACTIVE again")
        for key in metadata:
            if key.startswith(_RESERVED):
                user = await self._acted_for(key, metadata[key], caller.principal)
                caller = replace(caller, user=user)
        return caller

    async def _by_bearer(self, header: str | None) -> _Known:
        """Whose the credential in a header is; told again at once for as long as it is fresh."""
        secret = _bearer(header)
        epoch = self._known.epoch
        if self._jwt is not None and _looks_like_jwt(secret):
            known = await self._by_jwt(self._jwt, secret)
        else:
            known = await self._by_token(secret)
        self._known.add(header or "", known, epoch=epoch)
        return known

    async def _by_token(self, secret: str) -> _Known:
        if not is_well_formed(secret):
            raise _invalid(_why_none(secret, takes_jwts=self._jwt is not None))
        found = await self._identities.by_secret_hash(secret_hash(secret))
        if found is None:
            raise _invalid("the access token is not known; it may have been revoked")
        token, user = found
        last_used_us = timestamp_us(token.last_used_time)
        # Either way, for the clock may have been set back since.
        if abs(now_us() - last_used_us) > USE_RECORDED_SECONDS * MICROSECONDS:
            self._identities.used(token.id)
        return _Known(
            _caller(user, CredentialKind.CREDENTIAL_KIND_TOKEN, token),
            token.expire_time if token.HasField("expire_time") else None,
        )

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
        return _Known(_caller(user, CredentialKind.CREDENTIAL_KIND_JWT))

    async def _by_certificate(self, names: Sequence[str]) -> _Known:
        for name in names:
            user = await self._named(name)
            if user is not None:
                return _Known(_caller(user, CredentialKind.CREDENTIAL_KIND_CERTIFICATE))
        raise _invalid("the client certificate names no user of this service")

    async def _named(self, name: str) -> User | None:
        """The user with an id or an e-mail address."""
        if _USER_ID.fullmatch(name):
            return await self._identities.by_user_id(name)
        if "@" not in name or _IN_NO_ADDRESS.search(name):
            return None
        return await self._identities.by_email(name)

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
        subject = self._users.get(user_id)
        if subject is None:
            epoch = self._users.epoch
            user = await self._identities.by_user_id(user_id)
            if user is None:
                raise _act_as_refused("there is no such user to act for", ACT_AS)
            subject = Subject.of(user)
            self._users.add(user_id, subject, epoch=epoch)
        if subject.suspended:
            raise _suspended("the user you act for is suspended")
        return subject


def _caller(user: User, kind: CredentialKind.ValueType, token: Token | None = None) -> Caller:
    subject = Subject.of(user)
    return Caller(subject, subject, kind, token)


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


def _looks_like_jwt(secret: str) -> bool:
    return secret.count(".") == 2


def _why_none(secret: str, *, takes_jwts: bool) -> str:
    """Why a bearer token is no access token, in words for whoever sent it."""
    if secret.startswith(PREFIX):
        return "the access token's checksum is wrong; it may be cut off or mistyped"
    if _looks_like_jwt(secret):
        return "the bearer token is a JWT, of which this server takes none; send an access token"
    other = ", nor a JWT" if takes_jwts else ""
    return f"the bearer token is no access token, for it does not begin with {PREFIX}{other}"


def _refuse_expired(expire_time: Timestamp) -> None:
    if timestamp_us(expire_time) <= now_us():
        expired = expire_time.ToJsonString()
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
