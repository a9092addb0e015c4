"""What is printed: tables and lines for people, the contract's JSON for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from rich.console import RenderableType
    from rich.text import Text

    from symphony_command.console import Console

T = TypeVar("T")

# Control characters could move a terminal's cursor or colour what comes after; direction marks
# could turn around what is read.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSEEN_IN_JSON: Final = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def console() -> Console:
    """Standard output."""
    from symphony_command.console import Console

    return Console()


def error_console() -> Console:
    """Standard error."""
    from symphony_command.console import Console

    return Console(stderr=True)


def plain(text: str) -> str:
    r"""The text with what a terminal would act on spelled out: `\x1b` for an escape."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def json_of(message: Message) -> Any:
    """The contract's JSON (ProtoJSON): names in camelCase, what is not set left out."""
    from google.protobuf import json_format

    return json_format.MessageToDict(message)


def one_line(document: Any) -> str:
    """JSON in one line; safe to look at on a terminal, too."""
    return _safe(json.dumps(document, ensure_ascii=False))


def print_json(document: Any) -> None:
    """Print one JSON document over several lines."""
    print(_safe(json.dumps(document, ensure_ascii=False, indent=2)))


def print_json_line(document: Any) -> None:
    """Print one JSON document in a line of its own, at once."""
    print(one_line(document), flush=True)


def print_json_array(documents: Iterable[Any]) -> None:
    """Print a JSON array, an element a line, as the elements come."""
    before = "["
    for document in documents:
        sys.stdout.write(f"{before}\n{one_line(document)}")
        before = ","
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column of a table."""

    title: str
    cell: Callable[[T], str | Text]
    fold: bool = True
    """Whether what is too long goes on in the next line; ids and the like are never broken."""
    justify: Literal["left", "right"] = "left"
    style: str = ""


def table_of(rows: Iterable[T], columns: Sequence[Column[T]]) -> RenderableType:
    """A table that fits the terminal: long texts are folded, nothing is cut off."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column.title,
            justify=column.justify,
            style=column.style,
            no_wrap=not column.fold,
            overflow="fold",
        )
    for row in rows:
        cells = (column.cell(row) for column in columns)
        table.add_row(*(one if isinstance(one, Text) else Text(plain(one)) for one in cells))
    return table


def fields_of(pairs: Iterable[tuple[str, str | Text]]) -> RenderableType:
    """Names and values beneath each other; what is empty is left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            grid.add_row(name, value if isinstance(value, Text) else Text(plain(value)))
    return grid


def print_list(
    messages: Iterable[Any], columns: Sequence[Column[Any]], *, as_json: bool, none: str
) -> None:
    """Print resources, as an array or as a table; `none` is said if there is nothing to show."""
    if as_json:
        print_json_array(json_of(message) for message in messages)
        return
    rows = list(messages)
    if rows:
        console().print(table_of(rows, columns))
    else:
        error_console().print(none)


def print_paragraph(out: Console, text: Text, *, indent: int = 2) -> None:
    """Print a paragraph: on a terminal in lines of its width, the later ones set in by `indent`
    more than the first; elsewhere as it is, for whoever searches in it.
    """
    if not out.is_terminal or text.cell_len <= out.width:
        out.print(text, soft_wrap=True)
        return
    indent += len(text.plain) - len(text.plain.lstrip())
    first, *rest = text.wrap(out, out.width - indent, overflow="fold")
    out.print(first)
    for line in rest:
        line.pad_left(indent)
        out.print(line)


def _safe(text: str) -> str:
    return _UNSEEN_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
