"""Statements built from Peewee expressions once and executed with parameters ever after.

Building a statement costs Peewee about 100 µs and executing it 6 to 12 µs (measured on
SQLite), so hot statements are compiled when a store thread opens its session.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from peewee import Delete, Insert, Update, Value

from symphony_server.store.session import Cursor, Session


class _Parameter:
    """Stands in a statement for a value that comes with the execution."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name


def param(name: str) -> Any:
    """A named place for a value, to be used in a Peewee expression."""
    return Value(_Parameter(name), converter=False)


class Statement:
    """One statement of one session. Call it with the values in the order of `names`."""

    __slots__ = ("_constants", "_execute", "_order", "_session", "sql")

    def __init__(self, session: Session, query: Any, names: Sequence[str]) -> None:
        """Compile a Peewee query. `names` lists its parameters in the order of the call."""
        self.sql, values = session.database.get_sql_context().sql(query).query()
        self._session = session
        self._execute = session.execute
        positions = {name: index for index, name in enumerate(names)}
        found = [v.name if isinstance(v, _Parameter) else None for v in values]
        unknown = {n for n in found if n is not None} ^ set(names)
        if unknown:
            raise ValueError(f"parameters {sorted(unknown)} do not match in {self.sql}")
        # When the values stand in the statement as they come in the call, which is the
        # common case, they are handed over as they are.
        if found == list(names):
            self._order: list[int | None] | None = None
        else:
            self._order = [None if n is None else positions[n] for n in found]
        self._constants = [None if isinstance(v, _Parameter) else v for v in values]

    def __call__(self, *values: Any) -> Cursor:
        """Execute with these values; the cursor has the rows."""
        if self._order is None:
            return self._execute(self.sql, values)
        return self._execute(self.sql, self._in_order(self._order, values))

    def stream(self, *values: Any) -> Iterator[Any]:
        """Execute with these values, in a snapshot; the rows come as they are asked for."""
        if self._order is not None:
            values = tuple(self._in_order(self._order, values))
        return self._session.stream(self.sql, values)

    def _in_order(self, order: list[int | None], values: Sequence[Any]) -> list[Any]:
        """The values of the statement where it has them in another order, or constants."""
        return [
            constant if index is None else values[index]
            for index, constant in zip(order, self._constants, strict=True)
        ]

    def many(self, rows: Sequence[Sequence[Any]]) -> None:
        """Execute with each row's values, which stand in the statement as they come."""
        if self._order is not None:
            raise ValueError(f"the values of {self.sql} come in another order")
        self._session.executemany(self.sql, rows)


class Writing(Statement):
    """A statement that writes, and says so: what follows may have something to undo."""

    __slots__ = ()

    def __call__(self, *values: Any) -> Cursor:
        """See `Statement`."""
        self._session.written = True
        return super().__call__(*values)

    def many(self, rows: Sequence[Sequence[Any]]) -> None:
        """See `Statement`."""
        self._session.written = True
        super().many(rows)


class Compiler:
    """Compiles statements for one session."""

    def __init__(self, session: Session) -> None:
        """Take the session to run them on."""
        self.session: Final = session

    def __call__(self, query: Any, *names: str) -> Statement:
        """Compile a Peewee query whose parameters come in the order of `names`."""
        kind = Writing if isinstance(query, Insert | Update | Delete) else Statement
        return kind(self.session, query, names)

    def insert(self, table: Any) -> Statement:
        """An insert of a whole row; the values come in the order of the table's columns."""
        columns = [field.name for field in table._meta.sorted_fields]
        row: Iterable[Any] = {getattr(table, name): param(name) for name in columns}
        return self(table.insert(row), *columns)

    def update(self, table: Any, columns: Sequence[Any], where: Any, *names: str) -> Statement:
        """An update of the rows that meet a condition; the columns' values come first."""
        new: Any = {column: param(column.name) for column in columns}
        return self(table.update(new).where(where), *(column.name for column in columns), *names)

    def delete(self, table: Any, where: Any, *names: str) -> Statement:
        """A delete of the rows that meet a condition."""
        return self(table.delete().where(where), *names)
