"""Which kind of credential a call is sent with, by what it looks like."""

from __future__ import annotations

from enum import Enum, auto


class Sent(Enum):
    """What came with a call, as far as this side can tell."""

    NOTHING = auto()
    ACCESS_TOKEN = auto()
    """An access token, or what is meant for one."""
    JWT = auto()
    """A JSON Web Token, of an identity provider."""
    CERTIFICATE = auto()
    """A client certificate and no token, which would win over it."""


def sent(token: str | None, *, certificate: bool) -> Sent:
    """The kind of a credential; a JWT has three parts, and nothing else has full stops."""
    if token:
        return Sent.JWT if token.count(".") == 2 else Sent.ACCESS_TOKEN
    return Sent.CERTIFICATE if certificate else Sent.NOTHING
