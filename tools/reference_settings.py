"""The settings as the reference shows them: read from the models and the docstrings below them."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import textwrap
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from symphony_client.settings import ClientSettings
from symphony_server.rules.tiers import TierLimits, TierTable
from symphony_server.settings import Settings

Row = list[str]


def server_settings() -> list[Row]:
    """A row a setting of the server: variable, what it takes, default, meaning."""
    return list(_rows(Settings))


def client_settings() -> list[Row]:
    """The same of the Python client."""
    return list(_rows(ClientSettings))


def tier_limits() -> list[Row]:
    """A row a limit: its name, what each tier has, meaning."""
    table, about = TierTable(), docstrings(TierLimits)
    return [
        [
            f"`{name}`",
            *(_limit(getattr(tier, name)) for tier in (table.free, table.pro, table.enterprise)),
            about[name],
        ]
        for name in TierLimits.model_fields
    ]


def _limit(value: int | None) -> str:
    return "no limit" if value is None else str(value)


def _rows(model: type[BaseModel]) -> Iterator[Row]:
    prefix = str(model.model_config["env_prefix"])  # type: ignore[typeddict-item]
    about = docstrings(model)
    for name, field in model.model_fields.items():
        yield [f"`{prefix}{name.upper()}`", _takes(field), _default(field.default), about[name]]


def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Field → the text below it in the class, on one line."""
    module = ast.parse(textwrap.dedent(inspect.getsource(model)))
    body = next(node.body for node in module.body if isinstance(node, ast.ClassDef))
    found = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = " ".join(text.value.value.split())
    return found


def _takes(field: FieldInfo) -> str:
    kind = field.annotation
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        (kind,) = (one for one in typing.get_args(kind) if one is not type(None))
    if typing.get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in typing.get_args(kind))
    bounds = [
        f"{word} {getattr(constraint, name):g}"
        for constraint in field.metadata
        for name, word in (("ge", "at least"), ("gt", "above"), ("le", "at most"))
        if getattr(constraint, name, None) is not None
    ]
    return ", ".join([_KINDS[kind], *bounds])


_KINDS: dict[Any, str] = {
    str: "text",
    bool: "`true`, `false`",
    int: "a whole number",
    float: "a number",
    Path: "a file",
    TierTable: "JSON",
}


def _default(value: Any) -> str:
    if value is None or isinstance(value, TierTable):
        return ""
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
