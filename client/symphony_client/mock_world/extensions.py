"""Extensions: what their manifests say is believed, for nothing is scanned here."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from symphony.v1.extension_pb2 import (
    MANIFEST_FORMAT_JSON,
    MANIFEST_FORMAT_TOML,
    Extension,
    ExtensionState,
    ExtensionType,
    ManifestFormat,
    ScanReport,
    ScanVerdict,
)
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony_client.mock_world.checks import found, id_taken, name_taken
from symphony_client.mock_world.refusals import Refused, Wrong, refuse
from symphony_client.mock_world.world import Write
from symphony_client.resources.kinds import EXTENSION, PROJECT

_TEXTS: Final = ("name", "version", "type", "publisher", "entry_point")
_TYPES: Final[Mapping[str, ExtensionType.ValueType]] = {
    "instrument": ExtensionType.EXTENSION_TYPE_INSTRUMENT,
    "operator": ExtensionType.EXTENSION_TYPE_OPERATOR,
    "motif": ExtensionType.EXTENSION_TYPE_MOTIF,
}


def install_extension(write: Write, request: InstallExtensionRequest) -> Extension:
    """The extension, ENABLED, with what its manifest says and a scan that found nothing."""
    found(write.world, PROJECT, request.project_id, field="project_id")
    extension = _described_by(request.manifest, request.manifest_format)
    extension.id = request.extension_id or write.new_id(EXTENSION)
    extension.project_id = request.project_id
    extension.installed_by = write.user_id
    extension.state = ExtensionState.EXTENSION_STATE_ENABLED
    refuse(
        name_taken(write.world, EXTENSION, extension, field="manifest.name"),
        id_taken(write.world, EXTENSION, request.extension_id, field="extension_id"),
    )
    created: Extension = write.create(EXTENSION, extension)
    return created


def settle_extension(
    _write: Write, current: Any, updated: Any, _paths: Sequence[str]
) -> Wrong | None:
    """Read a manifest other than the present one; it must keep the name."""
    updated.manifest_format = updated.manifest_format or MANIFEST_FORMAT_JSON
    if (updated.manifest, updated.manifest_format) == (current.manifest, current.manifest_format):
        return None
    try:
        described = _described_by(updated.manifest, updated.manifest_format)
    except Refused as refused:
        raise Refused(*(wrong.under("extension") for wrong in refused.wrongs)) from None
    if described.name != current.name:
        said = f'is not "{current.name}", which this extension is; install the other one'
        refuse(_invalid(said, "extension.manifest.name"))
    updated.ClearField("permissions")
    updated.MergeFrom(described)
    return None


def _described_by(text: str, manifest_format: ManifestFormat.ValueType) -> Extension:
    """An extension with what comes from its manifest. Raises Refused."""
    document = _read(text, manifest_format)
    texts: dict[str, Any] = {key: document.get(key) for key in _TEXTS}
    permissions = document.get("permissions", [])
    refuse(
        *(
            _invalid("must be there, as text", f"manifest.{key}")
            for key, value in texts.items()
            if not isinstance(value, str) or not value
        )
    )
    if texts["type"] not in _TYPES:
        refuse(_invalid(f"must be one of {', '.join(_TYPES)}", "manifest.type"))
    if not isinstance(permissions, list):
        raise Refused(_invalid("must be a list", "manifest.permissions"))
    refuse(
        *(
            _invalid("must be text", f"manifest.permissions[{index}]")
            for index, permission in enumerate(permissions)
            if not isinstance(permission, str)
        )
    )
    return Extension(
        name=texts["name"],
        version=texts["version"],
        type=_TYPES[texts["type"]],
        publisher=texts["publisher"],
        permissions=permissions,
        entry_point=texts["entry_point"],
        manifest=text,
        manifest_format=manifest_format or MANIFEST_FORMAT_JSON,
        scan=ScanReport(verdict=ScanVerdict.SCAN_VERDICT_PASSED),
    )


def _read(text: str, manifest_format: ManifestFormat.ValueType) -> dict[str, Any]:
    read = tomllib.loads if manifest_format == MANIFEST_FORMAT_TOML else json.loads
    try:
        document = read(text)
    except (ValueError, RecursionError) as error:
        raise _malformed(str(error)) from None
    if not isinstance(document, dict):
        raise _malformed("it is JSON, but not an object")
    return document


def _malformed(why: str) -> Refused:
    description = f"the manifest cannot be read: {why}"
    return Refused(Wrong(reason="MANIFEST_MALFORMED", description=description, field="manifest"))


def _invalid(description: str, field: str) -> Wrong:
    return Wrong(reason="MANIFEST_INVALID", description=description, field=field)
