"""Lists over many pages."""

from __future__ import annotations

import pytest

from symphony.v1.user_pb2 import User
from symphony.v1.user_service_pb2 import ListUsersRequest, ListUsersResponse
from symphony_command.listing import Listing

KNOWN = [User(name=str(number)) for number in range(2500)]


class Pages:
    """A List method of which the requests are kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def __call__(self, request: ListUsersRequest) -> ListUsersResponse:
        self.asked.append((request.page_size, request.page_token))
        start = int(request.page_token or 0)
        end = start + request.page_size
        return ListUsersResponse(
            users=KNOWN[start:end], next_page_token=str(end) if end < len(KNOWN) else ""
        )


@pytest.mark.parametrize(
    ("limit", "asked", "more"),
    [
        (0, [(1000, ""), (1000, "1000"), (1000, "2000")], False),
        (1, [(1, "")], True),
        (1500, [(1000, ""), (500, "1000")], True),
        (2500, [(1000, ""), (1000, "1000"), (500, "2000")], False),
        (9999, [(1000, ""), (1000, "1000"), (1000, "2000")], False),
    ],
)
def test_no_more_is_asked_for_than_is_shown(
    limit: int, asked: list[tuple[int, str]], more: bool
) -> None:
    pages = Pages()
    listing = Listing(pages, ListUsersRequest(), "users", limit=limit)
    assert [one.name for one in listing] == [one.name for one in KNOWN[: limit or None]]
    assert pages.asked == asked
    assert listing.more == more
