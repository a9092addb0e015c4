from __future__ import annotations

from typing import Any, cast

import grpc
import pytest

from symphony_server.rpc.exchange import Exchange, Services
from symphony_server.rpc.methods import Method, read_methods
from symphony_server.rpc.stages.answer import answer
from symphony_server.rpc.stages.deadline import deadline
from symphony_server.use_cases.call import Call, Deployment


class Aborted(Exception):
    """As gRPC ends a handler whose call was aborted."""


class Context:
    """The little of a call's context that the stages use."""

    def __init__(self, seconds_left: float | None) -> None:
        self._seconds_left = seconds_left
        self.aborts: list[grpc.StatusCode] = []

    def time_remaining(self) -> float | None:
        return self._seconds_left

    def set_trailing_metadata(self, _: object) -> None:
        pass

    async def abort(self, code: grpc.StatusCode, *_: object) -> None:
        self.aborts.append(code)
        raise Aborted


async def call(context: Context) -> bytes:
    """Calls a method whose way is the deadline's stage inside the answer's."""
    method: Method = next(iter(read_methods().values()))
    services = cast(Services, None)

    async def inner(_: Exchange) -> bytes:
        return b"answer"

    handler = answer(method, services, deadline(method, services, inner))
    made = Call(method.name, method.permission, cast(Deployment, None), "r1", started_ns=0)
    return await handler(Exchange(made, {}, cast(Any, context)))


async def test_a_call_that_comes_too_late_is_ended_once_and_is_no_fault(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    context = Context(-0.1)
    with pytest.raises(Aborted):
        await call(context)
    assert context.aborts == [grpc.StatusCode.DEADLINE_EXCEEDED]
    assert not caplog.records
    assert "fault" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("seconds_left", [None, 0.1])
async def test_a_call_in_time_is_answered(seconds_left: float | None) -> None:
    context = Context(seconds_left)
    assert await call(context) == b"answer"
    assert not context.aborts


async def test_a_call_with_less_time_left_than_the_fastest_of_late_took_is_not_begun() -> None:
    method: Method = next(iter(read_methods().values()))
    services, begun = cast(Services, None), []

    async def inner(exchange: Exchange) -> bytes:
        begun.append(exchange)
        return b"answer"

    handler = answer(method, services, deadline(method, services, inner))
    long_ago = Call(method.name, method.permission, cast(Deployment, None), "r1", started_ns=0)
    await handler(Exchange(long_ago, {}, cast(Any, Context(None))))

    hurried, patient = Context(0.1), Context(None)
    with pytest.raises(Aborted):
        await handler(Exchange(long_ago, {}, cast(Any, hurried)))
    assert hurried.aborts == [grpc.StatusCode.DEADLINE_EXCEEDED]
    assert await handler(Exchange(long_ago, {}, cast(Any, patient))) == b"answer"
    assert len(begun) == 2
