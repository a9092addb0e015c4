"""The file of a kept head, as `symphony audit verify --head` reads it."""

from __future__ import annotations

from typing import Any, Final

from symphony_server.operator_audit import HeadNotTrusted, read_head
from symphony_server.use_cases.audit.signing import HeadSigner, is_signed

MAX_BYTES: Final = 2048
SIGNER: Final = HeadSigner(bytes(range(32)))
SIGNED: Final = SIGNER.sign(5, bytes(32), 1_700_000_000_000_000)


class _File:
    """A file's contents, read as `Path.read_text` reads them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_text(self) -> str:
        return self._data.decode()

    def __str__(self) -> str:
        return "head.json"


def try_one(data: bytes) -> None:
    """Read the head; nothing but what was signed is taken for signed."""
    file: Any = _File(data)
    try:
        head = read_head(file)
    except HeadNotTrusted as problem:
        assert str(problem).startswith("head.json")
        return
    if is_signed(head) and head.public_key == SIGNER.public_key:
        assert head == SIGNED
