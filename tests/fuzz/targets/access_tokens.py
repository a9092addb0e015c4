"""What comes as `authorization` metadata, told from the one access token that is known.

The text is a secret; a prefix of `Bearer ` is put before it unless the first byte is 0.
"""

from __future__ import annotations

import zlib
from typing import Final

from symphony_server.access.authentication import Authenticator
from symphony_server.access.credentials import is_well_formed
from symphony_server.refusal import Refused
from tests.e2e.wire import tells_insides
from tests.fuzz.known_identities import SECRET, TOKEN, USER, KnownIdentities, finished

MAX_BYTES: Final = 256
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_REASONS: Final = {"CREDENTIALS_INVALID", "CREDENTIALS_MISSING"}


def try_one(data: bytes) -> None:
    """Authenticate with the bytes; only the known token is anybody's."""
    text = data[1:].decode("latin-1")
    assert is_well_formed(text) == _has_the_form(text)
    header = text if data[:1] == b"\0" else f"Bearer {text}"
    authenticator = Authenticator(KnownIdentities())
    try:
        caller = finished(authenticator.authenticate({"authorization": header}))
    except Refused as refused:
        assert refused.first.reason_name in _REASONS
        assert not tells_insides(refused.first.description)
        assert header.partition(" ")[2].strip() != SECRET or header[:7].lower() != "bearer "
        return
    assert (caller.user.id, caller.token) == (USER.id, TOKEN)
    assert header[7:].strip() == SECRET


def _has_the_form(text: str) -> bool:
    """The form by its definition: `sym_`, 43 digits in base62, and their CRC32 in six more."""
    if len(text) != 53 or text[:4] != "sym_" or any(c not in _DIGITS for c in text[4:]):
        return False
    number = 0
    for character in text[47:]:
        number = number * 62 + _DIGITS.index(character)
    return number == zlib.crc32(text[:47].encode())
