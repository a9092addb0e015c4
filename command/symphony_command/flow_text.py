"""YAML and JSON read as plain values, with the line of each.

YAML is read as YAML 1.2's core schema has it: `on` and `no` are words, and a date is text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from symphony_command.errors import UsageProblem

MAX_VALUES: Final = 200_000
"""More than 1000 steps can have; aliases within aliases would make endlessly many of one page."""


class _CoreLoader(yaml.SafeLoader):
    """Knows texts, numbers, true, false and null, and nothing else."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


@dataclass(slots=True)
class Document:
    """What a file says, and where."""

    value: Any
    """Dictionaries, lists, texts, numbers, booleans and None."""
    lines: dict[str, int] = field(default_factory=dict)
    """The line of each value by its path, `spec.steps[1].name`; that of a key's is the key's."""
    doubled: list[tuple[str, int]] = field(default_factory=list)
    """Keys that stand twice in one place, with the line of the second."""


def read_document(text: str, where: str, *, is_json: bool) -> Document:
    """What the text says.

    Raises:
        UsageProblem: it is neither YAML nor JSON; `where` names the file in what is said.
    """
    if is_json:
        _check_json(text, where)
    try:
        # Tabs are white space to JSON and an error to YAML; inside a text JSON writes them \t.
        root = yaml.compose(text.replace("\t", " ") if is_json else text, Loader=_CoreLoader)
    except yaml.YAMLError as error:
        if is_json:
            return Document(json.loads(text))
        raise UsageProblem(_sentence(error, where), "mend the file's YAML and try again") from None
    except RecursionError:
        raise UsageProblem(f"{where} is nested too deep", "flatten it") from None
    document = Document(None)
    document.value = _Reader(document, where).value(root, "")
    return document


def _check_json(text: str, where: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        raise UsageProblem(
            f"{where}:{error.lineno}: it is not JSON: {said} at column {error.colno}",
            "mend the file and try again",
        ) from None
    except (ValueError, RecursionError):
        raise UsageProblem(f"{where} is no JSON that can be read", "mend the file") from None


class _Reader:
    """Walks the nodes that YAML composed, and counts them."""

    def __init__(self, document: Document, where: str) -> None:
        self._document = document
        self._where = where
        self._constructor = _CoreLoader("")
        self._count = 0

    def value(self, node: Any, path: str) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise UsageProblem(f"{self._where} has too many values", "write a smaller file")
        match node:
            case None:
                return None
            case yaml.MappingNode():
                return self._mapping(node, path)
            case yaml.SequenceNode():
                return [
                    self._placed(one, f"{path}[{place}]", one)
                    for place, one in enumerate(node.value)
                ]
        try:
            return self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError):
            line = node.start_mark.line + 1
            raise UsageProblem(
                f"{self._where}:{line}: the tag {node.tag} is not known here",
                "write a text, a number, true or false",
            ) from None

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            below = f"{path}.{key}" if path else key
            if key in found:
                self._document.doubled.append((below, key_node.start_mark.line + 1))
            found[key] = self._placed(value_node, below, key_node)
        return found

    def _placed(self, node: Any, path: str, at: Any) -> Any:
        self._document.lines[path] = at.start_mark.line + 1
        return self.value(node, path)


def _sentence(error: yaml.YAMLError, where: str) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    place = f"{where}:{mark.line + 1}" if mark else where
    return f"{place}: it is not YAML: {said}"
