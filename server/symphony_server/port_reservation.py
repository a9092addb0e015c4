"""A port that several processes are to serve on, and nobody else.

SO_REUSEPORT lets any process of the same user bind a port a second time, in silence. So the port
is first taken exclusively, as by a server without it, and shared only then. The sockets are never
listened on: connections go to the workers that bind the same port.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Final, Self

_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Of a name such as `localhost`, the addresses that this machine does not have."""


class PortReservation:
    """Holds `HOST:PORT` until it is closed."""

    def __init__(self, address: str) -> None:
        """Take the address; port 0 takes a free one. Raises OSError, in a sentence, when it is
        taken or not of this machine.
        """
        host, _, said = address.rpartition(":")
        self._sockets: list[socket.socket] = []
        self.port = int(said)
        try:
            for family, numeric in _addresses(host.strip("[]"), self.port):
                self._take(family, numeric)
        except OSError as error:
            self.close()
            raise OSError(f"{address} cannot be served on: {error.strerror}") from error
        if not self._sockets:
            raise OSError(f"{address} cannot be served on: no such address on this machine")
        self.address = f"{host}:{self.port}"
        """`HOST:PORT` with the port that was taken."""

    def close(self) -> None:
        """Give the port back; whoever serves on it goes on."""
        for held in self._sockets:
            held.close()
        self._sockets.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, family: socket.AddressFamily, host: str) -> None:
        exclusive = socket.socket(family, socket.SOCK_STREAM)
        # Or connections of a server that has just ended would be in the way.
        exclusive.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            exclusive.bind((host, self.port))
        except OSError as error:
            exclusive.close()
            if error.errno in _NOT_HERE:
                return
            raise
        self.port = exclusive.getsockname()[1]
        exclusive.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Linux lets a second socket with SO_REUSEADDR have the port while nobody listens, unless
        # there is one without it.
        shared = socket.socket(family, socket.SOCK_STREAM)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            shared.bind((host, self.port))
        except OSError:  # old connections are in the way after all
            shared.close()
            self._sockets.append(exclusive)
        else:
            exclusive.close()
            self._sockets.append(shared)


def _addresses(host: str, port: int) -> Iterator[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for family, numeric in dict.fromkeys((family, address[0]) for family, *_, address in found):
        yield family, str(numeric)
