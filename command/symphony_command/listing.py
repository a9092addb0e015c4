"""Lists of any length: pages are asked for as they are needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from symphony_command.asking import Asked
from symphony_command.output import (
    Column,
    error_console,
    json_of,
    print_json_array,
    print_list,
)

MAX_PAGE: Final = 1000
"""The contract's `lte` of `page_size`."""
_NONE: Final = "There are no {} to show."


class Listing:
    """What a List method answers, over all pages, up to a limit."""

    def __init__(self, call: Callable[[Any], Any], request: Any, field: str, *, limit: int) -> None:
        """Ask `call` for pages; `field` is where an answer has its resources."""
        self._call = call
        self._request = request
        self._field = field
        self._limit = limit
        self.more = False
        """Whether there are more than the limit; known at the end."""

    def pages(self) -> Iterator[list[Any]]:
        """The pages, each asked for when the one before it is used up."""
        left = self._limit or sys.maxsize
        while left:
            self._request.page_size = min(left, MAX_PAGE)
            answer = self._call(self._request)
            page = list(getattr(answer, self._field))[:left]
            left -= len(page)
            self.more = bool(answer.next_page_token)
            yield page
            if not self.more:
                return
            self._request.page_token = answer.next_page_token

    def __iter__(self) -> Iterator[Any]:
        for page in self.pages():
            yield from page


def show_listing(asked: Asked, listing: Listing, columns: Sequence[Column[Any]], what: str) -> None:
    """Print a list of `what`: an array, or a table. See `_say_what_is_left`."""
    resources = listing if asked.json else _with_progress(listing, what)
    print_list(resources, columns, as_json=asked.json, none=_NONE.format(what))
    _say_what_is_left(listing, what)


def show_as_it_comes(
    asked: Asked, listing: Listing, show: Callable[[Any], None], what: str
) -> None:
    """Print a list of `what`: an array, or whatever `show` makes of each, without a table's wait
    for the last. See `_say_what_is_left`.
    """
    if asked.json:
        print_json_array(json_of(one) for one in listing)
    else:
        none = True
        for one in listing:
            show(one)
            none = False
        if none:
            error_console().print(_NONE.format(what))
    _say_what_is_left(listing, what)


def _say_what_is_left(listing: Listing, what: str) -> None:
    """Say on standard error that there is more, to programs too: nothing is left out in silence."""
    if listing.more:
        error_console().print(f"There are more {what}: --limit 0 shows all.", style="dim")


def _with_progress(listing: Listing, what: str) -> Iterator[Any]:
    """The resources; on a terminal it is shown how many were read, from the second page on."""
    count, status = 0, None
    try:
        for page in listing.pages():
            yield from page
            count += len(page)
            if listing.more and status is None and sys.stderr.isatty():
                status = error_console().status("")
                status.start()
            if status is not None:
                status.update(f"read {count} {what}")
    finally:
        if status is not None:
            status.stop()
