"""Installs an extension from its manifest's file."""

from __future__ import annotations

from pathlib import Path

from symphony.v1.extension_pb2 import Extension
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony_client.contracts import ExtensionDataAccess
from symphony_client.prevalidation import read_manifest_file


class InstallExtensionUseCase:
    """Reads and pre-validates the file, then makes one call; the server scans the manifest."""

    def __init__(self, extensions: ExtensionDataAccess) -> None:
        """Install extensions through `extensions`."""
        self._extensions = extensions

    async def execute(
        self, project_id: str, manifest_path: Path, *, request_id: str = ""
    ) -> Extension:
        """Return the extension as it was installed in a project.

        Raises:
            PreValidationFailed: the file is missing, empty, too large, or neither JSON nor TOML;
                nothing was called.
            PreconditionFailed: the scan rejects the manifest; `violations` has every finding.
            DataError: what else the server says of it.
        """
        manifest = read_manifest_file(manifest_path)
        return await self._extensions.install(
            InstallExtensionRequest(
                project_id=project_id,
                manifest=manifest.text,
                manifest_format=manifest.manifest_format,
                request_id=request_id,
            )
        )
