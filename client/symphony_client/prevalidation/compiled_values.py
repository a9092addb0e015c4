"""The rules for a value by itself, as plain Python: of a text, a number, an enum, a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from symphony_client.prevalidation.compiled_patterns import python_pattern


class NotCovered(Exception):
    """There is a rule of a kind that is not written here."""


@dataclass(frozen=True, slots=True)
class Check:
    """Whether values surely keep a rule: the same answer in two ways, truthy for yes."""

    one: Callable[[Any], object]
    many: Callable[[Sequence[Any]], object]
    """Of at least one value."""


def all_of(checks: Sequence[Check]) -> Check:
    """Returns the check of all of them, in their order."""
    if len(checks) == 1:
        return checks[0]
    ones, manys = [check.one for check in checks], [check.many for check in checks]
    return Check(lambda value: _agree(ones, value), lambda values: _agree(manys, values))


def _agree(checks: Sequence[Callable[[Any], object]], value: Any) -> bool:
    for check in checks:  # noqa: SIM110 # all() of a generator takes twice as long
        if not check(value):
            return False
    return True


def stated(rules: Message) -> dict[str, Any]:
    """Returns what a message of rules says, by name."""
    return {field.name: value for field, value in rules.ListFields()}


def value_check(field: FieldDescriptor, rules: dict[str, Any]) -> Check | None:
    """Returns the check of a field's values, or of a list's items, by the rules for their type.

    None where there are none. Raises NotCovered.
    """
    ignore_zero = rules.pop("ignore", 0) == validate_pb2.IGNORE_IF_ZERO_VALUE
    required = rules.pop("required", False)
    if not rules and not required:
        return None
    if len(rules) != 1 or (kind := next(iter(rules))) not in _BY_TYPE:
        raise NotCovered
    check = _BY_TYPE[kind](field, stated(rules[kind]))
    if not required and not ignore_zero:
        return check
    zero_passes = bool(check.one("" if kind == "string" else 0))
    if required and zero_passes:
        raise NotCovered
    return check if zero_passes or required else _or_zero(check)


def _or_zero(check: Check) -> Check:
    def many(values: Sequence[Any]) -> object:
        not_zero = list(filter(None, values))
        return not not_zero or check.many(not_zero)

    return Check(lambda value: not value or check.one(value), many)


def _string(_: FieldDescriptor, rules: dict[str, Any]) -> Check:
    """Returns the check of texts; of one, its length and pattern are one regular expression."""
    checks: list[Check] = []
    if "in" in rules:
        checks.append(_each(frozenset(rules.pop("in")).__contains__))
    if "min_bytes" in rules or "max_bytes" in rules:
        fewest, limit = rules.pop("min_bytes", 0), rules.pop("max_bytes", MAX_LENGTH)
        checks.append(_each(lambda text: fewest <= len(text.encode()) <= limit))
    if not rules.keys() <= {"min_len", "max_len", "pattern"}:
        raise NotCovered
    if rules:
        least, most = rules.get("min_len", 0), rules.get("max_len", MAX_LENGTH)
        checks.append(_written(least, most, rules.get("pattern")))
    return all_of(checks)


def _written(least: int, most: int, pattern: str | None) -> Check:
    """Returns the check of the length and the pattern of texts."""
    length = f"(?s:.{{{least},{most}}})"
    if pattern is None:
        return Check(re.compile(length).fullmatch, lambda texts: _lengths(texts, least, most))
    translated = python_pattern(pattern)
    if translated is None:
        raise NotCovered
    matches = translated.fullmatch
    if least or most < MAX_LENGTH:
        # The length first: a pattern may take the square of it.
        matches = re.compile(rf"(?={length}\Z)(?:{translated.pattern})").fullmatch
    if pattern != NAME_PATTERN:
        return _each(matches)

    def many(names: Sequence[str]) -> bool:
        return (_lengths(names, least, most) and _plain(names)) or all(map(matches, names))

    return Check(matches, many)


def _lengths(texts: Sequence[str], least: int, most: int) -> bool:
    if least == 1:
        return all(texts) and max(map(len, texts)) <= most
    return min(map(len, texts)) >= least and max(map(len, texts)) <= most


def _plain(names: Sequence[str]) -> bool:
    """Returns True of names in visible ASCII, none blank, which the pattern allows: as most are."""
    joined = "".join(names)
    return joined.isascii() and joined.isprintable() and not any(map(str.isspace, names))


def _integer(_: FieldDescriptor, rules: dict[str, Any]) -> Check:
    least, most = rules.pop("gte", -(2**63)), rules.pop("lte", 2**63 - 1)
    if rules:
        raise NotCovered
    return Check(
        lambda number: least <= number <= most,
        lambda numbers: min(numbers) >= least and max(numbers) <= most,
    )


def _enum(field: FieldDescriptor, rules: dict[str, Any]) -> Check:
    if field.enum_type is None or not rules.pop("defined_only", False):
        raise NotCovered
    allowed = frozenset(field.enum_type.values_by_number).difference(rules.pop("not_in", ()))
    if rules:
        raise NotCovered
    return Check(allowed.__contains__, allowed.issuperset)


def _time(_: FieldDescriptor, rules: dict[str, Any]) -> Check:
    """Returns the check of durations or timestamps, their nanos as they should be."""
    first, last = rules.pop("gte", None), rules.pop("lte", None)
    if rules or first is None or last is None or first.seconds < 0 or first.nanos or last.nanos:
        raise NotCovered
    least, most = first.seconds, last.seconds

    def one(time: Any) -> bool:
        seconds, nanos = time.seconds, time.nanos
        if nanos:
            return bool(least <= seconds < most and 0 < nanos < _NANOS_PER_SECOND)
        return bool(least <= seconds <= most)

    return _each(one)


def _each(one: Callable[[Any], object]) -> Check:
    return Check(one, lambda values: all(map(one, values)))


_NANOS_PER_SECOND: Final = 1_000_000_000
NAME_PATTERN: Final = r"^(\P{Cc}*[^\p{Cc}\p{Z}]\P{Cc}*)?$"
"""The contract's pattern of names. With another one names are matched like anything else."""
MAX_LENGTH: Final = 2**31 - 1
"""More than anything in a request has."""
_BY_TYPE: Final[Mapping[str, Callable[[FieldDescriptor, dict[str, Any]], Check]]] = {
    "string": _string,
    "int32": _integer,
    "int64": _integer,
    "enum": _enum,
    "duration": _time,
    "timestamp": _time,
}
