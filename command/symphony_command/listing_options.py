"""The options that lists have in common: which, in which order, how many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final

import typer

from symphony_command.asking import AskingCommand, parameters_of
from symphony_command.choices import OrderWord, TimeOrderWord
from symphony_command.words import written_moment

_META: Final = "symphony_command.listed"

Limit = Annotated[
    int, typer.Option("--limit", min=0, help="How many at most; 0 for all there are.")
]
TimeOrder = Annotated[TimeOrderWord, typer.Option(help="Which come first.")]
_NameOrder = Annotated[OrderWord, typer.Option(help="Which come first.")]
_NamePrefix = Annotated[
    str, typer.Option("--name-prefix", metavar="TEXT", help="Only those whose name begins so.")
]
_CreatedAfter = Annotated[
    str | None,
    typer.Option("--created-after", metavar="TIME", help="A date, a time, or how long ago: 2h."),
]
_CreatedBefore = Annotated[
    str | None, typer.Option("--created-before", metavar="TIME", help="The same.")
]


@dataclass(frozen=True, slots=True)
class Listed:
    """What the options common to lists say."""

    order: OrderWord | TimeOrderWord
    limit: int
    created_after: str | None
    created_before: str | None
    name_prefix: str | None = None

    def criteria(self) -> dict[str, Any]:
        """The filters and the order, by their names in the contract's requests."""
        named = {} if self.name_prefix is None else {"name_prefix": self.name_prefix}
        return {
            **named,
            "create_time_after": written_moment(self.created_after),
            "create_time_before": written_moment(self.created_before),
            "order_by": self.order.order_by,
        }


def listed_of(ctx: typer.Context) -> Listed:
    """What the options of this call say of the list."""
    listed: Listed = ctx.meta[_META]
    return listed


class TimeListCommand(AskingCommand):
    """A command that lists what has a time and no name, and takes the options of `Listed`."""

    def __init__(self, name: str | None, **attributes: Any) -> None:
        attributes["params"] = [*(attributes.get("params") or ()), *self.list_parameters()]
        super().__init__(name, **attributes)

    def list_parameters(self) -> list[Any]:
        """The options that are added before those of all commands."""
        return _by_time_parameters()

    def invoke(self, ctx: Any) -> Any:
        """Run the command, which finds its options by `listed_of`."""
        given = {one.name: ctx.params.pop(one.name) for one in self.list_parameters()}
        ctx.meta[_META] = Listed(**given)
        return super().invoke(ctx)


class NameListCommand(TimeListCommand):
    """A command that lists what has a name as well."""

    def list_parameters(self) -> list[Any]:
        """The options that are added before those of all commands."""
        return _by_name_parameters()


@cache
def _by_time_parameters() -> list[Any]:
    return parameters_of(_by_time)


@cache
def _by_name_parameters() -> list[Any]:
    return parameters_of(_by_name)


def _by_time(
    created_after: _CreatedAfter = None,
    created_before: _CreatedBefore = None,
    order: TimeOrder = TimeOrderWord.NEWEST,
    limit: Limit = 100,
) -> None:
    """Never run: a template for the options."""


def _by_name(
    name_prefix: _NamePrefix = "",
    created_after: _CreatedAfter = None,
    created_before: _CreatedBefore = None,
    order: _NameOrder = OrderWord.NEWEST,
    limit: Limit = 100,
) -> None:
    """Never run: a template for the options."""
