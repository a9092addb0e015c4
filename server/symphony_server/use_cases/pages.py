"""The frame around every list: page token, size, order, what the caller may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from symphony_server.access.permissions import sees_everything
from symphony_server.clock import timestamp_us
from symphony_server.rules.names import prefix_range
from symphony_server.store.lists import Cursor, Listing
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.page_tokens import query_fingerprint

DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 1000
"""As the contract's rule on `page_size` says; a test compares the two."""


def read_page(
    snapshot: Snapshot,
    call: Call,
    request: Any,
    listing: Listing,
    to_message: Callable[[Any], Any],
    filters: Mapping[str, str | int],
    *,
    everything: bool = False,
) -> tuple[list[Any], str]:
    """One page's messages and the token of the next, empty on the last.

    Unless `everything`, rows that the user may not see are left out, except for ADMIN and
    AUDITOR.
    """
    user = call.caller.user
    query = query_fingerprint(call.method, user.id, request)
    start = None
    if request.page_token:
        token = call.deployment.page_tokens.read(query, request.page_token)
        start = Cursor(token.k, token.i)
    sees_all = everything or sees_everything(user.roles)
    page = snapshot.lists.page(
        listing,
        filters,
        order=request.order_by or listing.default_order,
        size=request.page_size or DEFAULT_PAGE_SIZE,
        start=start,
        visible_to=None if sees_all else user.id,
    )
    next_token = ""
    if page.next is not None:
        next_token = call.deployment.page_tokens.write(query, page.next.key, page.next.id)
    return [to_message(row) for row in page.rows], next_token


def given(**filters: str | int) -> dict[str, str | int]:
    """The filters that are set: an empty or zero one does not filter."""
    return {name: value for name, value in filters.items() if value}


def time_filters(request: Any, times: str = "create_time") -> dict[str, str | int]:
    """The filters of `create_time_after` and `create_time_before`, or of other `times`, where
    they are set.
    """
    filters: dict[str, str | int] = {}
    for side in ("after", "before"):
        field = f"{times}_{side}"
        if request.HasField(field):
            filters[side] = timestamp_us(getattr(request, field))
    return filters


def name_filters(prefix: str) -> dict[str, str | int]:
    """The filters of `name_prefix`, where it is set."""
    if not prefix:
        return {}
    low, high = prefix_range(prefix)
    return {"name_from": low, "name_to": high}
