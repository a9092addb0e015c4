"""Signs the heads of the audit log's tree with a key that all servers on one database share."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from symphony.v1.audit_pb2 import AuditTreeHead
from symphony_server.clock import set_timestamp, timestamp_us

KEY_NAME: Final = "audit_ed25519"
KEY_BYTES: Final = 32
"""An Ed25519 private key is any 32 random bytes (RFC 8032, section 5.1.5)."""
_DOMAIN: Final = b"symphony.v1.AuditTreeHead\x00"


class HeadSigner:
    """Signs tree heads."""

    def __init__(self, key: bytes) -> None:
        """Take the private key."""
        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self.public_key: Final = self._key.public_key().public_bytes_raw()
        """What whoever keeps heads needs to know, 32 bytes."""

    def sign(self, size: int, root: bytes, time_us: int) -> AuditTreeHead:
        """The head of the tree of a size with a root, signed at a time."""
        head = AuditTreeHead(
            tree_size=size,
            root_hash=root,
            signature=self._key.sign(_said(size, time_us, root)),
            public_key=self.public_key,
        )
        set_timestamp(head.time, time_us)
        return head


def is_signed(head: AuditTreeHead) -> bool:
    """True when a head's signature is that of the public key it names over what it says."""
    try:
        said = _said(head.tree_size, timestamp_us(head.time), head.root_hash)
        Ed25519PublicKey.from_public_bytes(head.public_key).verify(head.signature, said)
    except (InvalidSignature, ValueError, OverflowError):
        return False
    return True


def _said(size: int, time_us: int, root: bytes) -> bytes:
    """What a signature is over: see `AuditTreeHead` in the contract."""
    return _DOMAIN + size.to_bytes(8) + time_us.to_bytes(8) + root
