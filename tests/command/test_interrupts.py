"""Ctrl-C while a stream is read."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from symphony.v1.change_pb2 import Change
from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_command.change_feed import feed
from symphony_command.interrupts import Interrupt
from symphony_command.services import Server


class Cancelled(grpc.RpcError):
    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.CANCELLED


class Stream:
    """Has Ctrl-C pressed while it holds a lock."""

    def __init__(self) -> None:
        self.locked = self.cancelled = False
        self._revision = 0

    def cancel(self) -> None:
        self.cancelled = True

    def __iter__(self) -> Iterator[WatchResponse]:
        return self

    def __next__(self) -> WatchResponse:
        if self.cancelled:
            raise Cancelled
        self._revision += 1
        if self._revision == 3:
            self.locked = True
            os.kill(os.getpid(), signal.SIGINT)
            self.locked = False
        return WatchResponse(change=Change(revision=self._revision))


def server_with(stream: Stream) -> Server:
    return cast(Server, SimpleNamespace(changes=SimpleNamespace(Watch=lambda _: stream)))


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_ends_the_stream_and_nothing_is_left_locked() -> None:
    stream, seen = Stream(), list[int]()
    with pytest.raises(KeyboardInterrupt):
        seen.extend(told.change.revision for told in feed(server_with(stream), WatchRequest()))
    assert (stream.locked, stream.cancelled, seen) == (False, True, [1, 2, 3])


def test_who_stops_reading_has_it_as_before() -> None:
    for _ in feed(server_with(Stream()), WatchRequest()):
        break
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_second_one_does_as_always() -> None:
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.came
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_stream_begun_after_it_is_ended() -> None:
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.ends(Stream()).cancelled


def test_where_it_is_ignored_it_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGINT)
            assert not interrupt.came
        ignored: Any = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert ignored is signal.SIG_IGN
