"""Calls a server from one process of its own, faster than it can answer.

python -m tests.faults.http2_load, with a `Plan` as JSON on standard input; prints a `Report`.

Either so many callers make one call after another, or calls are begun at a rate whatever becomes
of those before (an open loop). A call's time is counted from when it was due, also if it could
not be sent then.
"""

from __future__ import annotations

import os
import selectors
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel, ConfigDict

from tests.faults.http2_connection import Http2Connection, call_headers

MARK: Final = b"@@NAME@@"
"""Where each request gets a name of its own, of the same length."""
OK: Final = 0
RESET: Final = -1
"""For a stream that the server reset, more than it lets be open on a connection."""
GIVEN_UP: Final = 4
"""DEADLINE_EXCEEDED, which a client says to itself."""
MOST_TIMES: Final = 5
"""So many times the seconds may pass by the wall's clock: a busy machine, an idle server."""
_TURN_SECONDS: Final = 0.001


class Plan(BaseModel):
    """What to call, and how often."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    target: str
    path: str
    request: bytes
    metadata: tuple[tuple[str, str], ...]
    seconds: float
    connections: int = 8
    callers: int = 0
    """So many call one after another; with none, `rate` holds."""
    pause_seconds: float = 0
    """How long a caller waits whom the server has refused."""
    rate: float = 0
    """Calls begun in a second."""
    deadline_ms: int | None = None
    clock_of: int | None = None
    """The process whose CPU time is the clock; the wall's is without."""
    core: int | None = None
    first_name: int = 0


class Report(BaseModel):
    """What became of the calls."""

    seconds: float
    sent: int
    ended: dict[int, int]
    """Status code → calls; -1 for streams that were reset."""
    answered: list[tuple[float, float]]
    """Of each call that was answered: when, from the start, and after how long."""
    busy: float
    """The part of a core that this process needed: near 1 it is what was measured."""


def cpu_clock(process_id: int) -> Callable[[], float]:
    """The CPU time of a process and all its threads, to the nanosecond, as a clock."""
    # What clock_getcpuclockid(3) makes of a process id on Linux.
    clock = (~process_id << 3) | 2
    return lambda: time.clock_gettime(clock)


class _Run:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._now = time.monotonic if plan.clock_of is None else cpu_clock(plan.clock_of)
        headers = call_headers(plan.path, "localhost", plan.metadata, plan.deadline_ms)
        self._connections = [Http2Connection(plan.target, headers) for _ in range(plan.connections)]
        self._due: list[deque[float]] = [deque() for _ in self._connections]
        self._begun: list[dict[int, float]] = [{} for _ in self._connections]
        self._resting: deque[tuple[float, int]] = deque()
        self._limit = float("inf") if plan.deadline_ms is None else plan.deadline_ms / 1000
        self._ended: Counter[int] = Counter()
        self._answered: list[tuple[float, float]] = []
        self._sent = 0

    def run(self) -> Report:
        plan, now = self._plan, self._now
        busy, wall = time.process_time(), time.monotonic()
        with selectors.DefaultSelector() as selector:
            for number, connection in enumerate(self._connections):
                selector.register(connection.socket, selectors.EVENT_READ, number)
            self._start = now()
            for caller in range(plan.callers):
                self._due[caller % plan.connections].append(self._start)
            begun = 0
            last = wall + MOST_TIMES * plan.seconds
            while (passed := now() - self._start) < plan.seconds and time.monotonic() < last:
                if plan.rate:
                    until = int(passed * plan.rate)
                    for number in range(begun, until):
                        due = self._start + number / plan.rate
                        self._due[number % plan.connections].append(due)
                    begun = until
                self._wake()
                for number in range(plan.connections):
                    self._send(number)
                for key, _ in selector.select(_TURN_SECONDS):
                    self._receive(key.data)
        for connection in self._connections:
            connection.socket.close()
        return Report(
            seconds=passed,
            sent=self._sent,
            ended=dict(self._ended),
            answered=self._answered,
            busy=(time.process_time() - busy) / (time.monotonic() - wall),
        )

    def _wake(self) -> None:
        while self._resting and self._resting[0][0] <= time.monotonic():
            _, number = self._resting.popleft()
            self._due[number].append(self._now())

    def _send(self, number: int) -> None:
        connection, due, begun = self._connections[number], self._due[number], self._begun[number]
        request, late = self._plan.request, self._now() - self._limit
        while begun:  # the oldest first
            stream, since = next(iter(begun.items()))
            if since > late:
                break
            del begun[stream]
            connection.cancel(stream)
            self._end(number, GIVEN_UP)
        while due and connection.has_room(len(request)):
            since = due.popleft()
            if since <= late:
                self._end(number, GIVEN_UP)
                continue
            name = b"%08d" % (self._plan.first_name + self._sent)
            begun[connection.call(request.replace(MARK, name))] = since
            self._sent += 1
        connection.send()

    def _receive(self, number: int) -> None:
        begun = self._begun[number]
        for stream, status in self._connections[number].receive():
            now = self._now()
            since = begun.pop(stream)
            if status == OK:
                self._answered.append((now - self._start, now - since))
            self._end(number, status)

    def _end(self, number: int, status: int) -> None:
        self._ended[status] += 1
        if not self._plan.callers:
            return
        if status == OK or not self._plan.pause_seconds:
            self._due[number].append(self._now())
        else:  # by the wall's clock: a server that has nothing to do has no time of its own
            self._resting.append((time.monotonic() + self._plan.pause_seconds, number))


def run(plan: Plan) -> Report:
    """Make the calls of a plan; raises ConnectionError if the server ends a connection."""
    if plan.core is not None:
        os.sched_setaffinity(0, {plan.core})
    return _Run(plan).run()


if __name__ == "__main__":
    print(run(Plan.model_validate_json(sys.stdin.read())).model_dump_json())
