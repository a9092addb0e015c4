"""JSON Web Tokens of the deployment's identity provider (RFC 7519)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import jwt
from jwt.utils import base64url_decode, base64url_encode

from symphony_server.access.key_set import KeySet

ALGORITHMS: Final = frozenset({"RS256", "ES256", "EdDSA"})
"""What is taken. Which of them holds is said by the key, never chosen by the token."""
MAX_BYTES: Final = 4096
"""Metadata above 8 KiB is refused by gRPC at random, so tokens must stay well below."""
LEEWAY_SECONDS: Final = 5
"""How far the provider's clock may be from ours."""
_NONE: Final = "the bearer token has three parts as a JWT has, and is none; it may be cut off"


class JwtInvalid(Exception):
    """The token is not one that the provider made for this service."""


class JwtExpired(Exception):
    """The token was good once."""

    def __init__(self, words: str, *, expire_seconds: int) -> None:
        """Take what to do about it, and when it expired, in seconds since 1970."""
        super().__init__(words)
        self.expire_seconds = expire_seconds


@dataclass(frozen=True, slots=True)
class JwtSubject:
    """Whom a token names."""

    subject: str
    email: str


class JwtVerifier:
    """Checks tokens of one provider."""

    def __init__(self, *, issuer: str, audience: str, keys: KeySet) -> None:
        """Take who must have made a token, for whom, and the provider's keys."""
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    async def verify(self, token: str) -> JwtSubject:
        """Whom the token names. Raises JwtInvalid or JwtExpired, with a reason in words."""
        if len(token) > MAX_BYTES:
            raise JwtInvalid(f"the token is longer than {MAX_BYTES} bytes")
        if not _is_as_written(token):
            raise JwtInvalid(_NONE)
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError:
            raise JwtInvalid(_NONE) from None
        key = await self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise JwtInvalid(
                "the JWT is signed with a key that the identity provider does not list"
            )
        if key.algorithm_name not in ALGORITHMS:
            raise JwtInvalid(f"the JWT's key is for {key.algorithm_name}, which is not taken")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            # Its signature was found good before its time was looked at.
            claims = jwt.decode(token, options={"verify_signature": False})
            raise JwtExpired(
                "the JWT has expired; get another from the identity provider",
                expire_seconds=max(0, int(claims["exp"])),
            ) from None
        except jwt.InvalidIssuerError:
            raise JwtInvalid("the JWT is of another issuer") from None
        except jwt.InvalidAudienceError:
            raise JwtInvalid("the JWT is for another audience") from None
        except jwt.ImmatureSignatureError:
            raise JwtInvalid("the JWT is not valid yet") from None
        except (jwt.InvalidTokenError, ValueError):
            raise JwtInvalid("the JWT's signature or claims are not valid") from None
        subject, email = str(claims.get("sub", "")), claims.get("email")
        if claims.get("email_verified", True) is not True:
            # Whoever has not shown that an address is theirs is nobody by it, wherever it stands.
            subject, email = "" if "@" in subject else subject, None
        return JwtSubject(subject=subject, email=email if isinstance(email, str) else "")


def _is_as_written(token: str) -> bool:
    """True when each part is base64url in the one spelling that a writer gives its bytes.

    Readers take others too: in the last character of a signature some bits say nothing (RFC 4648,
    section 3.5), and so an altered token would be as good as the token.
    """
    try:
        return all(
            base64url_encode(base64url_decode(part)) == part.encode() for part in token.split(".")
        )
    except ValueError:
        return False
