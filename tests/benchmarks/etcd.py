"""etcd, where it is installed: its authenticated, authorised and durable `put` to measure against.

Its own protobuf messages are few and small, and written here by hand (etcd's `api/etcdserverpb`).
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc

from tests.benchmarks.processes import free_port

PUT: Final = "/etcdserverpb.KV/Put"
START_SECONDS: Final = 20
USER, PASSWORD, KEYS = b"bench", b"bench", b"bench/"
_READ_AND_WRITE: Final = 2


def installed() -> str | None:
    """Where etcd is, if it is on PATH."""
    return shutil.which("etcd")


@contextmanager
def serving(directory: Path) -> Iterator[tuple[int, str]]:
    """Its process id and its address; one member, which syncs its log before it answers."""
    program = installed()
    if program is None:
        raise FileNotFoundError("etcd")
    clients, peers = (f"127.0.0.1:{free_port()}" for _ in range(2))
    options = {
        "data-dir": str(directory / "etcd"),
        "listen-client-urls": f"http://{clients}",
        "advertise-client-urls": f"http://{clients}",
        "listen-peer-urls": f"http://{peers}",
        "initial-advertise-peer-urls": f"http://{peers}",
        "initial-cluster": f"default=http://{peers}",
    }
    command = [program, *(f"--{name}={value}" for name, value in options.items())]
    with (directory / "etcd.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for_answer(clients, process)
        yield process.pid, clients
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running(directory: Path) -> Iterator[tuple[int, str, str]]:
    """Its process id, its address, and the token of a user who may write below `KEYS`."""
    with serving(directory) as (process_id, address):
        with grpc.insecure_channel(address) as channel:
            token = _with_user(channel)
        yield process_id, address, token


def put_request(key: bytes, value: bytes) -> bytes:
    """A PutRequest."""
    return _field(1, KEYS + key) + _field(2, value)


def _wait_for_answer(address: str, process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + START_SECONDS
    with grpc.insecure_channel(address) as channel:
        while True:
            try:
                _call(channel, "Maintenance/Status", b"")
                return
            except grpc.RpcError:
                if time.monotonic() > last or process.poll() is not None:
                    raise
                time.sleep(0.05)  # nothing tells when it is ready but an answer


def _with_user(channel: grpc.Channel) -> str:
    """Turn authentication on; a simple token of the user."""
    permission = _number(1, _READ_AND_WRITE) + _field(2, KEYS) + _field(3, b"bench0")
    _call(channel, "Auth/RoleAdd", _field(1, b"root"))
    _call(channel, "Auth/UserAdd", _field(1, b"root") + _field(2, PASSWORD))
    _call(channel, "Auth/UserGrantRole", _field(1, b"root") + _field(2, b"root"))
    _call(channel, "Auth/RoleAdd", _field(1, USER))
    _call(channel, "Auth/RoleGrantPermission", _field(1, USER) + _field(2, permission))
    _call(channel, "Auth/UserAdd", _field(1, USER) + _field(2, PASSWORD))
    _call(channel, "Auth/UserGrantRole", _field(1, USER) + _field(2, USER))
    _call(channel, "Auth/AuthEnable", b"")
    answer = _call(channel, "Auth/Authenticate", _field(1, USER) + _field(2, PASSWORD))
    return _token(answer).decode()


def _call(channel: grpc.Channel, method: str, request: bytes) -> bytes:
    call: Any = channel.unary_unary(f"/etcdserverpb.{method}")
    answer: bytes = call(request, timeout=START_SECONDS)
    return answer


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return bytes([number << 3]) + _varint(value)


def _varint(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:
        said.append(value & 0x7F | 0x80)
        value >>= 7
    said.append(value)
    return bytes(said)


def _token(answer: bytes) -> bytes:
    """Field 2 of an AuthenticateResponse; field 1 is a header of less than 128 bytes."""
    rest = answer[2 + answer[1] :]
    return rest[2 : 2 + rest[1]]
