"""Ids that a client chooses itself, so that later writes can refer to what an earlier one makes."""

from __future__ import annotations

from typing import Literal

from typeid import TypeID


def new_id(kind: Literal["user", "project", "workflow", "execution", "extension"]) -> str:
    """A new id such as `workflow_01jz…`: a TypeID, for the `<kind>_id` of a Create request."""
    return str(TypeID(prefix=kind))
