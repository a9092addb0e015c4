"""Ids: a prefix that names the kind and a UUIDv7, as the TypeID specification writes them."""

from __future__ import annotations

from typing import Final, Literal

from typeid import TypeID

Kind = Literal["user", "project", "workflow", "execution", "extension", "token", "audit"]

KINDS: Final[tuple[Kind, ...]] = (
    "user",
    "project",
    "workflow",
    "execution",
    "extension",
    "token",
    "audit",
)


def new_id(kind: Kind) -> str:
    """A new id such as `workflow_01jz…`; ids of one kind sort by the time they were made."""
    return str(TypeID(prefix=kind))
