"""The contract as the reference shows it: read from `generated/symphony.binpb`, rules in words.

Comments are kept as they were written in `protos/`. A rule that has no words here is an error,
so that no page leaves one out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodOptions,
)
from google.protobuf.message import Message as ProtoMessage
from google.rpc import code_pb2

from buf.validate import validate_pb2
from symphony.v1 import policy_pb2

PACKAGE: Final = "symphony.v1"
_END_OF_9999: Final = 253402300799

# The numbers of descriptor.proto, of which a comment's path is made.
_FILE_MESSAGES, _FILE_ENUMS, _FILE_SERVICES, _FILE_SYNTAX = 4, 5, 6, 12
_CHILDREN: Final = 2  # a message's fields, an enum's values and a service's methods alike
_MESSAGE_ONEOFS: Final = 8

Comments = Mapping[tuple[int, ...], str]


@dataclass(frozen=True)
class Field:
    """One field of a message."""

    name: str
    type: str
    """`string`, `int64`, or the full name of a message or an enum."""
    repeated: bool
    comment: str
    rules: Sequence[str]
    """What a value must be, in words."""


@dataclass(frozen=True)
class Message:
    """A message of the contract."""

    name: str
    file: str
    comment: str
    fields: Sequence[Field]


@dataclass(frozen=True)
class Value:
    """One value of an enum."""

    name: str
    number: int
    comment: str
    code: str
    """Of an error reason: its status code."""


@dataclass(frozen=True)
class Enum:
    """An enum of the contract."""

    name: str
    file: str
    comment: str
    values: Sequence[Value]


@dataclass(frozen=True)
class Rpc:
    """One method, with its comment taken apart."""

    service: str
    name: str
    about: str
    who: str
    errors: str
    request: str
    response: str
    streams: bool
    policy: policy_pb2.Policy
    idempotency: MethodOptions.IdempotencyLevel.ValueType

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.policy.access == policy_pb2.ACCESS_WRITE


@dataclass(frozen=True)
class Service:
    """One service, with what the head of its file draws."""

    name: str
    file: str
    head: str
    comment: str
    rpcs: Sequence[Rpc]

    @property
    def resource_file(self) -> str:
        """The file of the resources that the service is about."""
        return self.file.replace("_service.proto", ".proto")


@dataclass(frozen=True)
class Contract:
    """All of `symphony.v1`."""

    services: Sequence[Service]
    messages: Sequence[Message]
    enums: Sequence[Enum]

    def enum(self, name: str) -> Enum:
        """The enum of that name."""
        (found,) = (enum for enum in self.enums if enum.name == name)
        return found


def read(descriptor_set: Path) -> Contract:
    """The contract that a descriptor set with comments describes."""
    everything = FileDescriptorSet.FromString(descriptor_set.read_bytes()).file
    files = sorted(
        (file for file in everything if file.package == PACKAGE), key=lambda file: file.name
    )
    return Contract(
        services=[service for file in files for service in _services(file)],
        messages=[message for file in files for message in _messages(file)],
        enums=[enum for file in files for enum in _enums(file)],
    )


def _comments(file: FileDescriptorProto) -> Comments:
    return {
        tuple(location.path): "\n".join(
            line.removeprefix(" ").rstrip() for line in location.leading_comments.splitlines()
        ).strip("\n")
        for location in file.source_code_info.location
        if location.leading_comments
    }


def _services(file: FileDescriptorProto) -> Iterator[Service]:
    comments = _comments(file)
    for index, service in enumerate(file.service):
        path = (_FILE_SERVICES, index)
        rpcs = []
        for number, method in enumerate(service.method):
            about, who, errors = _of_rpc(comments[(*path, _CHILDREN, number)])
            rpcs.append(
                Rpc(
                    service=service.name,
                    name=method.name,
                    about=about,
                    who=who,
                    errors=errors,
                    request=method.input_type.removeprefix("."),
                    response=method.output_type.removeprefix("."),
                    streams=method.server_streaming,
                    policy=method.options.Extensions[policy_pb2.policy],
                    idempotency=method.options.idempotency_level,
                )
            )
        yield Service(service.name, file.name, comments[(_FILE_SYNTAX,)], comments[path], rpcs)


def _of_rpc(comment: str) -> tuple[str, str, str]:
    """What it does, who may call it and how it fails: the three parts of every RPC's comment."""
    found = re.fullmatch(r"(.*)\n\nWho: (.*)\nErrors: (.*)", comment, re.S)
    if found is None:
        raise ValueError(f"an RPC's comment says who may call it and how it fails: {comment!r}")
    return found[1], found[2], found[3]


def _messages(file: FileDescriptorProto) -> Iterator[Message]:
    comments = _comments(file)
    for index, message in enumerate(file.message_type):
        path = (_FILE_MESSAGES, index)
        if message.nested_type:
            raise ValueError(f"{message.name} has messages in it, which no page shows yet")
        fields = [
            Field(
                name=field.name,
                type=_type(field),
                repeated=field.label == FieldDescriptorProto.LABEL_REPEATED,
                comment=comments[(*path, _CHILDREN, number)],
                rules=[*_of_oneof(message, field), *_of_field(field)],
            )
            for number, field in enumerate(message.field)
        ]
        yield Message(message.name, file.name, comments[path], fields)


def _enums(file: FileDescriptorProto) -> Iterator[Enum]:
    comments = _comments(file)
    for index, enum in enumerate(file.enum_type):
        path = (_FILE_ENUMS, index)
        yield Enum(enum.name, file.name, comments[path], _values(enum, comments, path))


def _values(enum: EnumDescriptorProto, comments: Comments, path: tuple[int, ...]) -> list[Value]:
    return [
        Value(
            value.name,
            value.number,
            comments[(*path, _CHILDREN, number)],
            code_pb2.Code.Name(value.options.Extensions[policy_pb2.code]),
        )
        for number, value in enumerate(enum.value)
    ]


def _type(field: FieldDescriptorProto) -> str:
    if field.type_name:
        return field.type_name.removeprefix(".")
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


# --- rules in words ----------------------------------------------------------------------------


def _of_oneof(message: DescriptorProto, field: FieldDescriptorProto) -> Iterator[str]:
    if not field.HasField("oneof_index") or field.proto3_optional:
        return
    oneof = message.oneof_decl[field.oneof_index]
    required = oneof.options.Extensions[validate_pb2.oneof].required
    yield f"{'exactly' if required else 'at most'} one of `{oneof.name}`"


def _of_field(field: FieldDescriptorProto) -> Iterator[str]:
    # googleapis-common-protos has a type for it that names no element.
    extension: Any = field_behavior_pb2.field_behavior
    for behavior in field.options.Extensions[extension]:
        yield _BEHAVIORS[behavior]
    if field.proto3_optional:
        yield "may be left out"
    if field.options.HasExtension(validate_pb2.field):
        yield from _words(field.options.Extensions[validate_pb2.field])


_BEHAVIORS: Final[Mapping[int, str]] = {
    field_behavior_pb2.IDENTIFIER: "names the resource",
    field_behavior_pb2.IMMUTABLE: "stays as it was made",
    field_behavior_pb2.OUTPUT_ONLY: "set by the server",
    field_behavior_pb2.REQUIRED: "always has a value",
}


def _words(rules: validate_pb2.FieldRules) -> Iterator[str]:
    if rules.ignore == validate_pb2.IGNORE_ALWAYS:
        return
    if rules.required:
        yield "required"
    kind = rules.WhichOneof("type")
    if kind is not None:
        said = list(_of_kind(kind, getattr(rules, kind)))
        if rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            said.append("or empty")
        yield ", ".join(said)
    known = {"required", "ignore", kind}
    _all_told(rules, known)


def _of_kind(kind: str, rules: Any) -> Iterator[str]:
    match kind:
        case "string":
            yield from _of_string(rules)
        case "repeated":
            yield from _of_list(rules)
        case "enum":
            _all_told(rules, {"defined_only", "not_in"})
            yield "a value that the enum has"
            if list(rules.not_in) == [0]:
                yield "not UNSPECIFIED"
        case "int32" | "int64":
            _all_told(rules, {"gte", "lte"})
            yield _range(rules, str)
        case "duration":
            _all_told(rules, {"gte", "lte"})
            yield _range(rules, lambda limit: f"{limit.seconds} s")
        case "timestamp":
            _all_told(rules, {"gte", "lte"})
            if (rules.gte.seconds, rules.lte.seconds) != (0, _END_OF_9999):
                raise ValueError(f"no words for the times {rules}")
            yield "from 1970 to 9999"
        case _:
            raise ValueError(f"no words for rules of {kind}")


def _of_string(rules: validate_pb2.StringRules) -> Iterator[str]:
    _all_told(rules, {"min_len", "max_len", "min_bytes", "max_bytes", "pattern", "in"})
    for unit, name in (("len", "characters"), ("bytes", "bytes")):
        least, most = getattr(rules, f"min_{unit}"), getattr(rules, f"max_{unit}")
        if least or most:
            yield _sizes(least, most, name)
    if rules.pattern:
        yield _pattern(rules.pattern)
    choices = list(getattr(rules, "in"))
    if choices:
        yield "one of " + ", ".join(f"`{choice}`" if choice else "nothing" for choice in choices)


def _of_list(rules: validate_pb2.RepeatedRules) -> Iterator[str]:
    _all_told(rules, {"min_items", "max_items", "unique", "items"})
    if rules.min_items or rules.max_items:
        yield _sizes(rules.min_items, rules.max_items, "items")
    if rules.unique:
        yield "no two alike"
    if rules.HasField("items"):
        yield "each " + "; ".join(_words(rules.items))


def _all_told(rules: ProtoMessage, known: set[str | None]) -> None:
    unknown = {field.name for field, _ in rules.ListFields()} - known
    if unknown:
        raise ValueError(f"no words for the rule {unknown} of {type(rules).__name__}")


def _range(rules: Any, show: Callable[[Any], str]) -> str:
    if not rules.HasField("lte"):
        return f"at least {show(rules.gte)}"
    return f"{show(rules.gte)} to {show(rules.lte)}"


def _sizes(least: int, most: int, unit: str) -> str:
    if not most:
        return f"at least {least} {unit}"
    return f"{least} to {most} {unit}" if least else f"at most {most} {unit}"


def _pattern(pattern: str) -> str:
    ids = re.fullmatch(r"\^\(?([a-z|]+)\)?_\[0-7\]\[0-9a-hjkmnp-tv-z\]\{25\}\$", pattern)
    if ids is not None:
        return "an id: " + " or ".join(f"`{kind}_…`" for kind in ids[1].split("|"))
    return _PATTERNS[pattern]


_PATTERNS: Final = {
    r"^(\P{Cc}*[^\p{Cc}\p{Z}]\P{Cc}*)?$": "not blank, no control characters",
    r"^[!-~]*$": "visible ASCII, no spaces",
    r"^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$": "one `@` with something on both sides, no spaces",
    r"^[a-z_]+\.[a-z_]+$": "a permission such as `workflows.update`",
    r"^(\*|[a-z_]+\.([a-z_]+)?)$": "`*`, a permission or its prefix such as `workflows.`",
}
