"""The contract's files with their comments, for reflection: compiled ones have lost them.

They are those of `symphony.binpb`, which lies in the package where it is installed, and beside it
in a work tree.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

import symphony

DESCRIPTOR_SET: Final = "symphony.binpb"
_OURS: Final = "symphony/"


class CommentedFile:
    """A file as `grpc_reflection` reads it, its comments in it where they are to be had."""

    def __init__(self, file: Any) -> None:
        """Take a `FileDescriptor`."""
        self._file = file
        self.name: str = file.name

    @property
    def dependencies(self) -> list[CommentedFile]:
        """The files that it imports."""
        return [CommentedFile(file) for file in self._file.dependencies]

    def CopyToProto(self, proto: FileDescriptorProto) -> None:
        """Fill the message that describes the file."""
        with_comments = _with_comments().get(self.name)
        if with_comments is None:
            self._file.CopyToProto(proto)
        else:
            proto.CopyFrom(with_comments)


@cache
def _with_comments() -> dict[str, FileDescriptorProto]:
    """The contract's own files by name, read when somebody asks for the first of them."""
    package = Path(next(iter(symphony.__path__)))
    for path in (package / DESCRIPTOR_SET, package.parent / DESCRIPTOR_SET):
        if path.exists():
            files = FileDescriptorSet.FromString(path.read_bytes()).file
            return {file.name: _as_compiled(file) for file in files if file.name.startswith(_OURS)}
    return {}


def _as_compiled(file: FileDescriptorProto) -> FileDescriptorProto:
    """The file without JSON names: the compiled files that it imports have none, and grpcurl would
    print the fields of an answer in one way and those of an error's details in another.
    """
    messages = [*file.message_type]
    for message in messages:
        messages += message.nested_type
        for field in message.field:
            field.ClearField("json_name")
    for extension in file.extension:
        extension.ClearField("json_name")
    return file
