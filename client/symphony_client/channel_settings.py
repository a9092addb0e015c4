"""What `connect` was told: checked once, the same for both APIs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc

from symphony_client.service_config import MAX_ATTEMPTS

MAX_TOKEN_BYTES: Final = 4096
"""A header near 8 KiB is refused at random; half of that leaves room for the others."""

_VISIBLE_ASCII: Final = frozenset(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """The arguments of `connect`, known to be good; the token is in no `repr`.

    Raises:
        ValueError: naming the argument and what it takes, never a token.
    """

    target: str
    token: str | None = field(default=None, repr=False)
    act_as: str | None = None
    tls: bool | None = None
    tls_ca: Path | str | None = None
    tls_cert: Path | str | None = None
    tls_key: Path | str | None = None
    timeout_seconds: float = 30
    retry_attempts: int = 3
    prevalidation: bool = True

    def __post_init__(self) -> None:
        if not self.target:
            raise ValueError("target takes HOST:PORT or another gRPC target, not nothing")
        if not (0 < self.timeout_seconds < math.inf):
            raise ValueError(
                f"timeout_seconds takes a number above 0, not {self.timeout_seconds!r}"
            )
        if not 1 <= self.retry_attempts <= MAX_ATTEMPTS:
            raise ValueError(
                f"retry_attempts takes 1 (never retry) to {MAX_ATTEMPTS},"
                f" not {self.retry_attempts!r}"
            )
        # A token file ends in a line break; anything else in a header is refused by gRPC, loudly.
        object.__setattr__(self, "token", _header_value("token", self.token))
        object.__setattr__(self, "act_as", _header_value("act_as", self.act_as))
        if (self.tls_cert is None) is not (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together or not at all")
        if self.tls is False and (self.tls_ca or self.tls_cert):
            raise ValueError("tls=False contradicts tls_ca, tls_cert and tls_key")

    def transport_credentials(self) -> grpc.ChannelCredentials | None:
        """Returns the TLS credentials, their files read now; None for a channel in the clear.

        Without `tls_ca` the certificate authorities are those that gRPC brings along.
        """
        if not (self.tls or self.tls_ca or self.tls_cert):
            return None
        return grpc.ssl_channel_credentials(
            root_certificates=_content(self.tls_ca),
            private_key=_content(self.tls_key),
            certificate_chain=_content(self.tls_cert),
        )


def _header_value(argument: str, value: str | None) -> str | None:
    """Returns `value` without the white space around it, None if nothing is left."""
    stripped = value.strip() if value else None
    if not stripped:
        return None
    if not _VISIBLE_ASCII.issuperset(stripped) or len(stripped) > MAX_TOKEN_BYTES:
        raise ValueError(
            f"{argument} takes at most {MAX_TOKEN_BYTES} visible ASCII characters without spaces"
        )
    return stripped


def _content(path: Path | str | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
