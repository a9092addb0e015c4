"""What long commands on a database came to, as they print it."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from symphony_server.operator_backup import BackedUp, Restored
from symphony_server.operator_copy import Copied
from symphony_server.store.contents import Contents

_HASH_LETTERS = 12
"""Enough to tell hashes apart by eye; they were compared whole."""


def print_copied(copied: Copied) -> None:
    """A line a table, and what is to be found again in the copy."""
    table = Table("TABLE", box=box.SIMPLE_HEAD)
    table.add_column("ROWS", justify="right")
    table.add_column("IN THE COPY", justify="right")
    table.add_column("SHA-256")
    table.add_column("IN THE COPY")
    for one in copied.tables:
        rows, hashes = map(str, one.rows), (text[:_HASH_LETTERS] for text in one.hashes)
        table.add_row(one.table, *rows, *hashes)
    Console(soft_wrap=True).print(table)
    _print(
        f"every row is equal; revision {copied.revision}; "
        f"{copied.records} audit records are as they were written, root {copied.root.hex()}"
    )


def print_backed_up(file: Path, made: BackedUp) -> None:
    """What is in a backup."""
    _print(f"backed up to {file}")
    _print(f"schema: {made.schema}")
    if made.contents is None:
        _print("it is not this version's, so what is in it was not counted")
    else:
        _print_contents(made.contents)


def print_restored(file: Path, restored: Restored) -> None:
    """What is in a restored database."""
    _print(f"restored {file}")
    _print(f"schema: {restored.schema}")
    for name in restored.migrated:
        _print(f"applied {name}")
    _print_contents(restored.contents)
    if restored.verdict.fault is None:
        _print("the audit log was verified: every record is as it was written")


def _print_contents(contents: Contents) -> None:
    _print("rows: " + ", ".join(f"{name} {count}" for name, count in contents.rows if count))
    _print(f"revision: {contents.revision}")
    _print(f"audit records: {contents.records}, root {contents.root.hex()}")


def _print(line: str) -> None:
    Console(soft_wrap=True).print(line, markup=False, highlight=False)
