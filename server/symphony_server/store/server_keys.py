"""Secrets that all servers on one database share."""

from __future__ import annotations

from symphony_server.store.statements import Compiler, param
from symphony_server.store.tables import ServerKey as T


class ServerKeys:
    """The server keys of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._get = compiled(T.select(T.secret).where(T.name == param("name")), "name")
        self._insert = compiled.insert(T)

    def get(self, name: str) -> bytes | None:
        """The secret with a name, or None."""
        row = self._get(name).fetchone()
        return None if row is None else bytes(row[0])

    def insert(self, name: str, secret: bytes) -> None:
        """Add a secret."""
        self._insert(name, secret)
