"""flow.yaml or flow.json: the JSON form of a WorkflowSpec, or of a CreateWorkflowRequest."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format

from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_command.errors import UsageProblem
from symphony_command.flow_keys import mistakes
from symphony_command.flow_text import Document, read_document

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""A request has at most 4 MiB; white space and names of keys come on top."""

_STDIN: Final = "-"
_NEXT: Final = "mend the file and try again; docs/command.md shows one"


@dataclass(frozen=True, slots=True)
class FlowFile:
    """A workflow as somebody wrote it."""

    name: str
    """The file's name, as it was given."""
    request: CreateWorkflowRequest
    document: Document
    is_spec: bool
    """Whether the file is a spec alone, with no project and the like around it."""

    def place_of(self, field: str) -> str:
        """Where a field of the request is written, `flow.yaml:12`; nothing if it is not."""
        path = field.removeprefix("spec.") if self.is_spec else field
        while path:
            for spelling in (path, _camel_case(path)):
                line = self.document.lines.get(spelling)
                if line:
                    return f"{self.name}:{line}"
            # Of what is missing, the place that it is missing from.
            path = re.sub(r"(^|\.)[^.\[]*$|\[\d+\]$", "", path)
        return ""

    def with_a_project(self) -> CreateWorkflowRequest:
        """The request, which names a project.

        Raises:
            UsageProblem: neither the file nor anybody else does.
        """
        if not self.request.project_id:
            raise UsageProblem(
                "which project is it for?",
                "give --project with a name or an id, or write project_id beside spec; "
                "symphony projects list",
            )
        return self.request


def read_flow(path: Path) -> FlowFile:
    """The workflow that the file describes.

    Raises:
        UsageProblem: there is no such file, or it is not the form of a workflow; every mistake
            is told with its line.
    """
    name = "standard input" if str(path) == _STDIN else str(path)
    text = _text(path, name)
    is_json = path.suffix.lower() == ".json" or text.lstrip()[:1] == "{"
    document = read_document(text, name, is_json=is_json)
    is_spec = not (isinstance(document.value, dict) and "spec" in document.value)
    request = CreateWorkflowRequest()
    message: Any = request.spec if is_spec else request
    wrong = [
        *((where, "stands here twice; keep one of them") for where, _ in document.doubled),
        *mistakes(document.value, message.DESCRIPTOR),
    ]
    if wrong:
        raise _refused(name, document, wrong)
    try:
        json_format.ParseDict(document.value, message)
    except json_format.ParseError as error:
        raise UsageProblem(f"{name} is no workflow: {error}", _NEXT) from None
    return FlowFile(name, request, document, is_spec)


def _text(path: Path, name: str) -> str:
    try:
        if str(path) == _STDIN:
            content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageProblem(f"{name} cannot be read: {said}", "name the workflow's file") from None
    if len(content) > MAX_FILE_BYTES:
        raise UsageProblem(f"{name} is larger than {MAX_FILE_BYTES >> 20} MiB", "make it smaller")
    if not text.strip():
        raise UsageProblem(
            f"{name} is empty", "write the workflow into it; docs/command.md shows one"
        )
    return text


def _refused(name: str, document: Document, wrong: list[tuple[str, str]]) -> UsageProblem:
    def told(where: str, what: str) -> str:
        line = dict(document.doubled).get(where) if "twice" in what else document.lines.get(where)
        return (
            f"{name}:{line}: {where or 'the file'}: {what}" if line else f"{where or name}: {what}"
        )

    lines = tuple(told(where, what) for where, what in wrong[:20])
    more = (f"and {len(wrong) - 20} more",) if len(wrong) > 20 else ()
    count = f"{len(wrong)} things are" if len(wrong) > 1 else "something is"
    return UsageProblem(f"{count} wrong in {name}", _NEXT, lines=(*lines, *more))


def _camel_case(path: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), path)
