"""Requests on extensions, and manifests that are sound but for what a test says."""

from __future__ import annotations

import json

from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.extension_pb2 import Extension, ExtensionState
from symphony.v1.extension_service_pb2 import (
    InstallExtensionRequest,
    ListExtensionsRequest,
    UpdateExtensionRequest,
)
from symphony.v1.project_pb2 import Project
from tests.server.world import Person

ENABLED = ExtensionState.EXTENSION_STATE_ENABLED
DISABLED = ExtensionState.EXTENSION_STATE_DISABLED


def manifest(name: str = "word-count", version: str | None = "1.0.0", **keys: object) -> str:
    """A manifest in JSON; a key of None is left out."""
    sound: dict[str, object] = {
        "name": name,
        "version": version,
        "type": "operator",
        "publisher": "Nimbus Tools",
        "entry_point": "dist/main.js",
    }
    return json.dumps({key: value for key, value in (sound | keys).items() if value is not None})


def new(project: Project, text: str | None = None, **fields: object) -> InstallExtensionRequest:
    return InstallExtensionRequest(
        project_id=project.id,
        manifest=manifest() if text is None else text,
        **fields,  # type: ignore[arg-type]
    )


def install(person: Person, project: Project, text: str | None = None) -> Extension:
    made: Extension = person.get(person.extensions.InstallExtension, new(project, text))
    return made


def change(extension: Extension, *paths: str, **fields: object) -> UpdateExtensionRequest:
    return UpdateExtensionRequest(
        extension=Extension(id=extension.id, **fields),  # type: ignore[arg-type]
        update_mask=FieldMask(paths=paths),
    )


def names(person: Person, **filters: object) -> list[str]:
    """Of the extensions that somebody finds."""
    request = ListExtensionsRequest(**filters)  # type: ignore[arg-type]
    return [e.name for e in person.get(person.extensions.ListExtensions, request).extensions]
