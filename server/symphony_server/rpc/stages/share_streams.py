"""Refuses more streams than one user may have open."""

from __future__ import annotations

from collections import Counter

from symphony_server.rpc.exchange import Exchange, Handler, Services
from symphony_server.rpc.methods import Method
from symphony_server.rpc.stages.shed_load import overloaded


def share_streams(method: Method, services: Services, inner: Handler) -> Handler:
    """Leave streams of this server to others than the effective user; calls that are answered once
    pass by.
    """
    if method.anonymous or not method.streams:
        return inner
    most = services.load.max_streams_per_user
    open_streams: Counter[str] = services.load.streams_by_user

    async def shared(exchange: Exchange) -> bytes:
        user_id = exchange.call.caller.user.id
        if open_streams[user_id] >= most:
            raise overloaded(
                f"the user has {most} streams open at this server already, and the others"
                " are for other users; close one, or retry later"
            )
        open_streams[user_id] += 1
        try:
            return await inner(exchange)
        finally:
            open_streams[user_id] -= 1
            if not open_streams[user_id]:
                del open_streams[user_id]

    return shared
