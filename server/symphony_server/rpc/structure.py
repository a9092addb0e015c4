"""The structure of a request: that the bytes are the message, and keep to the contract's rules.

The rules are the `buf.validate` annotations, enforced by protovalidate; compiled once a
method. Only what needs no stored data is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError
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
        if request.ByteSize() != len(body):
            unknown = _unknown_fields(self._class.FromString(body), "")
            if unknown:
                raise Refused([_unknown(path) for path in unknown])
        return request

    def check(self, request: Any) -> tuple[str, ...]:
        """The paths that an update changes, empty for other methods.

        Raises Refused with everything that breaks a rule.
        """
        found = _VALIDATOR.collect_violations(request)
        violations = [_in_words(v, "") for v in found]
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
            for violation in _VALIDATOR.collect_violations(getattr(resource, name)):
                inside = _path(violation)
                if any(
                    path == name
                    or (inside + ".").startswith(path.removeprefix(name + ".") + ".")
                    or inside.startswith(path.removeprefix(name + ".") + "[")
                    for path in paths
                ):
                    yield _in_words(violation, f"{self._resource}.{name}.")


def _rules(field: Any) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def _in_words(violation: RuleViolation, prefix: str) -> Violation:
    proto = violation.proto
    return _invalid(
        describe(proto.rule_id, violation.rule_value, violation.field_value, proto.message),
        field=prefix + _path(violation),
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


def _unknown_fields(message: Any, path: str) -> list[str]:
    """Where a message has fields that the contract does not, with their numbers."""
    unknown_fields: Any = UnknownFieldSet(message)  # its stub does not say that it iterates
    found = [f"{path}{unknown.field_number}" for unknown in unknown_fields]
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        parts = value if field.is_repeated else (value,)
        for index, part in enumerate(parts):
            name = f"{path}{field.name}" + (f"[{index}]" if field.is_repeated else "")
            found += _unknown_fields(part, f"{name}.")
    return found


def _unknown(path: str) -> Violation:
    return _invalid(
        "is a field number that this version of the contract does not have; nothing is "
        "dropped in silence, so leave it out or call a newer server",
        field=path,
        rule="request.unknown_field",
    )


def _invalid(description: str, *, field: str = "", rule: str) -> Violation:
    return Violation(ErrorReason.ERROR_REASON_FIELD_INVALID, description, field=field, rule=rule)
