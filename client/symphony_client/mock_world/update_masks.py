"""Update masks: what may be changed is what the contract does not say is fixed (AIP-203)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask

from symphony_client.mock_world.refusals import Wrong, refuse

_FIXED: Final[Mapping[int, str]] = {
    field_behavior_pb2.IDENTIFIER: "names the resource and cannot be changed",
    field_behavior_pb2.IMMUTABLE: "cannot be changed",
    field_behavior_pb2.OUTPUT_ONLY: "is set by the server",
}
_ETAG: Final = "is set by the server; give it as the etag field"


def paths_to_change(mask: FieldMask, resource: Any, name: str) -> tuple[str, ...]:
    """The paths that a mask means: empty is every field that has a value, `*` every field.

    `name` is the resource's field in the request. Raises Refused: UPDATE_MASK_INVALID for what
    is not there or is fixed, FIELD_INVALID for a required field without a value.
    """
    fields = [field for field in resource.DESCRIPTOR.fields if not _why_fixed(field)]
    paths = tuple(dict.fromkeys(mask.paths))
    if not paths:
        paths = tuple(field.name for field in fields if _has_value(resource, field))
        if not paths:
            refuse(_invalid("names nothing to change and no field has a value"))
    elif paths == ("*",):
        paths = tuple(field.name for field in fields)
    refuse(*(_wrong(path, resource, name) for path in paths))
    return paths


def changed(current: Any, asked: Any, paths: Sequence[str]) -> Any:
    """A copy of the current resource with the paths taken from the one asked for."""
    updated = type(current)()
    updated.CopyFrom(current)
    FieldMask(paths=paths).MergeMessage(asked, updated, True, True)
    return updated


def touches(paths: Sequence[str], field: str) -> bool:
    """True when a mask names a field or a part of it."""
    return any(path == field or path.startswith(f"{field}.") for path in paths)


def _wrong(path: str, resource: Any, name: str) -> Wrong | None:
    field = dict(_paths_of(resource.DESCRIPTOR)).get(path)
    if field is None:
        return _invalid(f"names {path[:64]}, which is not a field of {name}", path[:64])
    if "." in path:
        return None
    if why := _why_fixed(field):
        return _invalid(f"names {path}, which {why}", path)
    if field_behavior_pb2.REQUIRED in _behaviours(field) and not _has_value(resource, field):
        return Wrong(
            reason="FIELD_INVALID",
            description="must be set, because update_mask names it",
            field=f"{name}.{path}",
            rule="required",
        )
    return None


def _paths_of(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """Every path of a resource; what is fixed, repeated or well known has no parts."""
    for field in message.fields:
        yield f"{prefix}{field.name}", field
        part = field.message_type
        if part is None or field.is_repeated or part.full_name.startswith("google.protobuf."):
            continue
        if not _why_fixed(field):
            yield from _paths_of(part, f"{prefix}{field.name}.")


def _why_fixed(field: FieldDescriptor) -> str:
    if field.name == "etag":
        return _ETAG
    return next((_FIXED[one] for one in _behaviours(field) if one in _FIXED), "")


def _behaviours(field: FieldDescriptor) -> Sequence[int]:
    options: Any = field.GetOptions()  # the extension's stub has lost its type
    behaviours: Sequence[int] = options.Extensions[field_behavior_pb2.field_behavior]
    return behaviours


def _has_value(resource: Any, field: FieldDescriptor) -> bool:
    if field.message_type is not None and not field.is_repeated:
        return bool(resource.HasField(field.name))
    return bool(getattr(resource, field.name))


def _invalid(description: str, path: str = "") -> Wrong:
    return Wrong(
        reason="UPDATE_MASK_INVALID",
        description=description,
        field="update_mask",
        metadata={"path": path} if path else {},
    )
