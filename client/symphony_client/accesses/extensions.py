"""Extensions."""

from __future__ import annotations

from typing import Never

from symphony.v1.extension_pb2 import Extension
from symphony.v1.extension_service_pb2 import (
    GetExtensionRequest,
    InstallExtensionRequest,
    UninstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony_client.accesses.resources import Resources, not_supported


class Extensions(Resources[Extension]):
    """An `ExtensionDataAccess`."""

    _KIND = "extension"
    _PLURAL = "extensions"
    _GET = GetExtensionRequest
    _UPDATE = UpdateExtensionRequest

    async def install(self, request: InstallExtensionRequest) -> Extension:
        """See `ExtensionDataAccess.install`."""
        extension: Extension = await self._ask(request)
        return extension

    async def delete(self, resource_id: str, *, etag: str = "", request_id: str = "") -> None:
        """See `DataStore.delete`."""
        request = UninstallExtensionRequest(id=resource_id, etag=etag, request_id=request_id)
        await self._ask(request)

    async def _create(self, entity: Extension, request_id: str) -> Never:  # noqa: ARG002
        raise not_supported(
            "save() of an extension without an id",
            "install() makes one of a manifest, save() changes one that was read",
        )
