"""The structure of a request: that the bytes are the message, and keep to the contract's rules.

The rules are the `buf.validate` annotations, enforced by protovalidate; compiled once a
method. Only what needs no stored data is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet
from protovalidate import Validator
from protovalidate import Violation as RuleViolation

from buf.validate import validate_pb2
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.rpc.methods import Method
from symphony_server.rpc.plain_words import describe
from symphony_server.use_cases.get_server_info import MAX_REQUEST_BYTES
from symphony_server.use_cases.update_masks import UpdateRules, touches

_VALIDATOR: Final = Validator()

MAX_BYTES_JUDGED_WHOLE: Final = 64 * 1024
"""Of a larger request only the first mistake is told: two bytes can be one, each costs some
17 µs to find, and everybody else waits meanwhile."""
MAX_IN_WORDS: Final = 20
"""As many violations are put in words; the answer names no more (contract.md)."""
MAX_UNKNOWN_BYTES: Final = 64 * 1024
"""In more bytes than these unknown fields are not looked for one by one; there can be a million."""


class Structure:
    """The structural check of one method's requests."""

    def __init__(self, method: Method) -> None:
        """Read what is needed off the method's request message."""
        self._class = method.request_class
        self._name = method.request_class.DESCRIPTOR.full_name
        fields = method.request_class.DESCRIPTOR.fields
        # `Update<R>Request { <r>, update_mask, … }`: the resource is the first field.
        self._resource = fields[0].name if any(f.name == "update_mask" for f in fields) else ""
        self._update = UpdateRules(fields[0].message_type) if self._resource else None
        self._times = _Times(method.request_class.DESCRIPTOR)
        self._judged_in_part = [
            field.name
            for field in (fields[0].message_type.fields if self._resource else ())
            if _rules(field).ignore == validate_pb2.IGNORE_ALWAYS
        ]

    def parse(self, body: bytes) -> Any:
        """The message that the bytes are. Raises Refused with FIELD_INVALID."""
        if len(body) > MAX_REQUEST_BYTES:
            raise Refused(
                [
                    _invalid(
                        f"the request has {len(body)} bytes; at most {MAX_REQUEST_BYTES} are taken",
                        rule="request.max_bytes",
                    )
                ]
            )
        try:
            request = self._class.FromString(body)
        except DecodeError:
            raise Refused(
                [
                    _invalid(
                        f"the bytes are not a {self._name}: they do not decode (wrong types, "
                        "text that is not UTF-8, or nesting deeper than 100)",
                        rule="request.malformed",
                    )
                ]
            ) from None
        # A message with nothing unknown almost always serializes to as many bytes as came.
        # When it does not, it may still only have been written differently, so look.
        request.DiscardUnknownFields()
        unread = len(body) - request.ByteSize()
        if unread > MAX_UNKNOWN_BYTES:
            raise Refused(
                [
                    _invalid(
                        f"{unread} bytes of the request are fields that this version of the "
                        "contract does not have, or are set again by what follows",
                        rule="request.unknown_field",
                    )
                ]
            )
        if unread:
            unknown = list(_unknown_fields(self._class.FromString(body), ""))
            if unknown:
                raise Refused([_unknown(path) for path in unknown])
        if 0 in body:  # which other fields have too, but most requests have nowhere
            with_nul = list(islice(_texts_with_nul(request, ""), MAX_IN_WORDS))
            if with_nul:
                raise Refused([_nul(path) for path in with_nul])
        return request

    def check(self, request: Any) -> tuple[str, ...]:
        """The paths that an update changes, empty for other methods.

        Raises Refused with everything that breaks a rule.
        """
        violations = [*_broken_rules(request, whole=False), *self._times.wrong(request)]
        if violations and request.ByteSize() > MAX_BYTES_JUDGED_WHOLE:
            raise Refused(violations)
        paths, wrong = self.update_paths(request)
        violations += wrong
        if violations:
            raise Refused(violations)
        return paths

    def update_paths(self, request: Any) -> tuple[tuple[str, ...], list[Violation]]:
        """The paths that an update changes, and what is wrong with them and with what they
        name; neither for other methods.
        """
        if self._update is None or not request.HasField(self._resource):
            return (), []
        resource = getattr(request, self._resource)
        paths, wrong = self._update.resolve(request.update_mask, resource, self._resource)
        return paths, [*wrong, *self._judge_parts(resource, paths)]

    def _judge_parts(self, resource: Any, paths: Sequence[str]) -> Iterable[Violation]:
        """The rules of a part that plain protovalidate leaves alone, for what the mask names:
        a mask `spec.name` judges the name and not the steps that were not sent.
        """
        for name in self._judged_in_part:
            if not touches(paths, name):
                continue
            for violation in _broken_rules(getattr(resource, name), whole=True):
                inside = violation.field
                if violation.rule == _TOO_LONG or any(
                    path == name
                    or (inside + ".").startswith(path.removeprefix(name + ".") + ".")
                    or inside.startswith(path.removeprefix(name + ".") + "[")
                    for path in paths
                ):
                    yield violation.under(f"{self._resource}.{name}")


_TOO_LONG: Final = "repeated.max_items"


def _broken_rules(message: Any, *, whole: bool) -> list[Violation]:
    """What breaks the contract's rules, found in a time that what is sent cannot stretch.

    Lists that are too long are told alone; and of a large message the first mistake, unless
    it is to be judged `whole`.
    """
    found = _VALIDATOR.collect_violations(message, fail_fast=True)
    if not found:
        return []
    too_long = list(islice(_too_long(message, ""), MAX_IN_WORDS))
    if too_long:
        return too_long
    if whole or message.ByteSize() <= MAX_BYTES_JUDGED_WHOLE:
        found = _VALIDATOR.collect_violations(message)
    violations = [_in_words(v) for v in found[:MAX_IN_WORDS]]
    return violations + violations[-1:] * (len(found) - len(violations))


def _too_long(message: Any, path: str) -> Iterator[Violation]:
    for field, value in message.ListFields():
        if field.is_repeated:
            limit = _rules(field).repeated.max_items
            if limit and len(value) > limit:
                said = describe(_TOO_LONG, limit, value, "")
                yield _invalid(said, field=f"{path}{field.name}", rule=_TOO_LONG)
                return
        for name, part in _parts(field, value):
            yield from _too_long(part, f"{path}{name}.")


class _Times:
    """Finds Timestamps and Durations whose nanos their own definition forbids, which
    protovalidate does not look at: they could be stored, but never be written as JSON again.
    """

    def __init__(self, message: Any) -> None:
        """Read off a message's descriptor where times can be."""
        self._times = [f.name for f in message.fields if _is_time(f.message_type)]
        inner = ((f.name, f.is_repeated, _times_in(f.message_type)) for f in message.fields)
        self._inner = [(name, many, times) for name, many, times in inner if times is not None]

    def __bool__(self) -> bool:
        return bool(self._times or self._inner)

    def has_none(self, messages: Iterable[Any]) -> bool:
        """True when it is quickly seen that no message has a time, as with most steps."""
        if self._inner or len(self._times) > 1:
            return False
        name = self._times[0]
        return not any(message.HasField(name) for message in messages)

    def wrong(self, message: Any, path: str = "") -> Iterator[Violation]:
        """Those that are wrong in a message."""
        for name in self._times:
            if message.HasField(name):
                time = getattr(message, name)
                nanos = time.nanos
                if nanos and (
                    not -_SECOND < nanos < _SECOND
                    or (nanos < 0 and isinstance(time, Timestamp))
                    or time.seconds * nanos < 0
                ):
                    yield _invalid(
                        "must have nanos below one second, with the sign of its seconds",
                        field=f"{path}{name}",
                        rule="time.nanos",
                    )
        for name, many, times in self._inner:
            if many:
                parts = getattr(message, name)
                if times.has_none(parts):
                    continue
                for index, part in enumerate(parts):
                    yield from times.wrong(part, f"{path}{name}[{index}].")
            elif message.HasField(name):
                yield from times.wrong(getattr(message, name), f"{path}{name}.")


def _is_time(message: Any) -> bool:
    return message is not None and message.full_name in _TIME_TYPES


def _times_in(message: Any) -> _Times | None:
    if message is None or _is_time(message):
        return None
    return _Times(message) or None


_TIME_TYPES: Final = (Timestamp.DESCRIPTOR.full_name, Duration.DESCRIPTOR.full_name)
_SECOND: Final = 1_000_000_000


def _parts(field: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """The messages in a field that is set, with their names."""
    if field.message_type is None:
        return
    if field.is_repeated:
        for index, part in enumerate(value):
            yield f"{field.name}[{index}]", part
    else:
        yield field.name, value


def _rules(field: Any) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def _in_words(violation: RuleViolation) -> Violation:
    proto = violation.proto
    return _invalid(
        describe(proto.rule_id, violation.rule_value, violation.field_value, proto.message),
        field=_path(violation),
        rule=proto.rule_id,
    )


def _path(violation: RuleViolation) -> str:
    field = violation.proto.field
    path = ""
    for element in field.elements if field is not None else ():
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{element.subscript.value}]"
    return path


def _unknown_fields(message: Any, path: str) -> Iterator[str]:
    """Where a message has fields that the contract does not, with their numbers."""
    unknown_fields: Any = UnknownFieldSet(message)  # its stub does not say that it iterates
    for unknown in unknown_fields:
        yield f"{path}{unknown.field_number}"
    for field, value in message.ListFields():
        for name, part in _parts(field, value):
            yield from _unknown_fields(part, f"{path}{name}.")


def _texts_with_nul(message: Any, path: str) -> Iterator[str]:
    """Where a message has texts with U+0000 in them, which PostgreSQL cannot keep."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            for index, text in enumerate(value if field.is_repeated else (value,)):
                if "\0" in text:
                    yield f"{path}{field.name}" + (f"[{index}]" if field.is_repeated else "")
        for name, part in _parts(field, value):
            yield from _texts_with_nul(part, f"{path}{name}.")


def _nul(path: str) -> Violation:
    return _invalid(
        "must not contain the character U+0000, which not every database can keep",
        field=path,
        rule="string.nul",
    )


def _unknown(path: str) -> Violation:
    return _invalid(
        "is a field number that this version of the contract does not have; nothing is "
        "dropped in silence, so leave it out or call a newer server",
        field=path,
        rule="request.unknown_field",
    )


def _invalid(description: str, *, field: str = "", rule: str) -> Violation:
    return Violation(ErrorReason.ERROR_REASON_FIELD_INVALID, description, field=field, rule=rule)
