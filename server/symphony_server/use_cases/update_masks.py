"""Update masks: which paths of a resource may be changed, and the change itself.

What may be changed is read off the contract: a field is the client's to set unless it is
annotated as an identifier, immutable or output only (AIP-203).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Violation

_FIXED: Final[Mapping[int, str]] = {
    field_behavior_pb2.IDENTIFIER: "names the resource and cannot be changed",
    field_behavior_pb2.IMMUTABLE: "cannot be changed",
    field_behavior_pb2.OUTPUT_ONLY: "is set by the server",
}
_ETAG: Final = "etag"
_WELL_KNOWN: Final = "google.protobuf."


class UpdateRules:
    """What an update of one resource may change."""

    def __init__(self, resource: Descriptor) -> None:
        """Read the rules off the resource's descriptor."""
        self.paths: dict[str, FieldDescriptor] = {}
        """Every changeable path."""
        self.fixed: dict[str, str] = {_ETAG: "is set by the server; give it as the etag field"}
        """Every path that may not be changed, and why."""
        self._required: set[str] = set()
        self._top: list[FieldDescriptor] = []
        for field in resource.fields:
            behaviors = _behaviors(field)
            why = next((_FIXED[b] for b in behaviors if b in _FIXED), None)
            if why is not None:
                self.fixed[field.name] = why
            elif field.name != _ETAG:
                self._top.append(field)
                self._add(field, field.name)
                if field_behavior_pb2.REQUIRED in behaviors:
                    self._required.add(field.name)

    def resolve(
        self, mask: FieldMask, resource: Any, name: str
    ) -> tuple[tuple[str, ...], list[Violation]]:
        """The paths to change and what is wrong with them.

        An empty mask means every field that has a value, `*` every field (AIP-134).
        `name` is the resource's field in the request.
        """
        paths = tuple(dict.fromkeys(mask.paths))
        if not paths:
            paths = tuple(field.name for field in self._top if _has_value(resource, field))
            if not paths:
                return (), [_mask_invalid("names nothing to change and no field has a value", "")]
        elif paths == ("*",):
            paths = tuple(field.name for field in self._top)
        violations = []
        for path in paths:
            if path in self.paths:
                if path in self._required and not _has_value(resource, self.paths[path]):
                    violations.append(_required(name, path))
            elif path in self.fixed:
                violations.append(_mask_invalid(f"names {path}, which {self.fixed[path]}", path))
            else:
                known = ", ".join(sorted(field.name for field in self._top))
                violations.append(
                    _mask_invalid(
                        f"names {path[:64]}, which is not a field of {name}; there are {known}",
                        path[:64],
                    )
                )
        return paths, violations

    def _add(self, field: FieldDescriptor, path: str) -> None:
        self.paths[path] = field
        message = field.message_type
        if (
            message is not None
            and not field.is_repeated
            and not message.full_name.startswith(_WELL_KNOWN)
        ):
            for inner in message.fields:
                self._add(inner, f"{path}.{inner.name}")


def apply_update(current: Any, changed: Any, paths: Sequence[str]) -> Any:
    """A copy of the current resource with the paths taken from the changed one."""
    updated = type(current)()
    updated.CopyFrom(current)
    FieldMask(paths=paths).MergeMessage(changed, updated, True, True)
    return updated


def touches(paths: Sequence[str], field: str) -> bool:
    """True when a mask names a field or a part of it."""
    return any(path == field or path.startswith(field + ".") for path in paths)


def _behaviors(field: FieldDescriptor) -> Sequence[int]:
    options: Any = field.GetOptions()  # the extension's stub has lost its type
    behaviors: Sequence[int] = options.Extensions[field_behavior_pb2.field_behavior]
    return behaviors


def _has_value(resource: Any, field: FieldDescriptor) -> bool:
    value = getattr(resource, field.name)
    if field.message_type is not None and not field.is_repeated:
        return bool(resource.HasField(field.name))
    return bool(value)


def _required(name: str, path: str) -> Violation:
    return Violation(
        ErrorReason.ERROR_REASON_FIELD_INVALID,
        "must be set, because update_mask names it",
        field=f"{name}.{path}",
        rule="required",
    )


def _mask_invalid(description: str, path: str) -> Violation:
    metadata: Mapping[str, str] = {"path": path} if path else {}
    return Violation(
        ErrorReason.ERROR_REASON_UPDATE_MASK_INVALID,
        description,
        field="update_mask",
        metadata=metadata,
    )
