"""Kinds of messages that the contract does not have, with rules that it does not use."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import Message

from buf.validate import validate_pb2

Kinds: Final = descriptor_pb2.FieldDescriptorProto


def message_of(name: str, **file: Any) -> Message:
    """An empty message of a kind that the contract does not have, called `Odd` in its file."""
    written = descriptor_pb2.FileDescriptorProto(
        name=f"tests/{name}.proto",
        package=f"tests.{name}",
        syntax="proto3",
        dependency=["buf/validate/validate.proto", "google/protobuf/duration.proto"],
        **file,
    )
    descriptor_pool.Default().AddSerializedFile(written.SerializeToString())
    odd = descriptor_pool.Default().FindMessageTypeByName(f"tests.{name}.Odd")
    return message_factory.GetMessageClass(odd)()


def message_with(kind: Any, rules: str, **more: Any) -> descriptor_pb2.DescriptorProto:
    """A message `Odd` with one field, its rules written as text."""
    made = descriptor_pb2.DescriptorProto(name="Odd")
    more = {"label": Kinds.LABEL_OPTIONAL, "number": 1, **more}
    one = made.field.add(name="field", type=kind, **more)
    text_format.Parse(rules, one.options.Extensions[validate_pb2.field])
    return made


def message_rules(rules: str) -> descriptor_pb2.DescriptorProto:
    made = descriptor_pb2.DescriptorProto(name="Odd")
    text_format.Parse(rules, made.options.Extensions[validate_pb2.message])
    return made
