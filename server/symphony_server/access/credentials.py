"""Access tokens: `sym_`, 32 random bytes in base62, and a CRC32 that catches a bad paste.

The checksum lets a mistyped token fail without a database read, and lets scanners find
leaked ones without guessing.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from typing import Final

PREFIX: Final = "sym_"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = frozenset(_ALPHABET)
_RANDOM_BYTES: Final = 32
_RANDOM_CHARACTERS: Final = 43  # 62**43 > 2**256
_CHECKSUM_CHARACTERS: Final = 6  # 62**6 > 2**32
_LENGTH: Final = len(PREFIX) + _RANDOM_CHARACTERS + _CHECKSUM_CHARACTERS


def new_secret() -> str:
    """A new token's secret, 53 characters; to be shown once and never kept."""
    body = PREFIX + _base62(
        int.from_bytes(secrets.token_bytes(_RANDOM_BYTES), "big"), _RANDOM_CHARACTERS
    )
    return body + _checksum(body)


def is_well_formed(secret: str) -> bool:
    """True when prefix, length, characters and checksum are right."""
    if len(secret) != _LENGTH or not secret.startswith(PREFIX):
        return False
    body, checksum = secret[:-_CHECKSUM_CHARACTERS], secret[-_CHECKSUM_CHARACTERS:]
    return _DIGITS.issuperset(body[len(PREFIX) :]) and checksum == _checksum(body)


def secret_hash(secret: str) -> bytes:
    """The SHA-256 by which a token is kept and found. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_CHARACTERS)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
