"""What the suite for every adapter asks with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from symphony.v1.extension_pb2 import ManifestFormat
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import Role, Tier, User
from symphony_client.errors import DataError

PERSON = User(email="Ada@example.com", name="Ada", tier=Tier.TIER_PRO, roles=[Role.ROLE_DEVELOPER])


def installing(project: Project, document: str) -> InstallExtensionRequest:
    return InstallExtensionRequest(
        project_id=project.id,
        manifest=document,
        manifest_format=ManifestFormat.MANIFEST_FORMAT_JSON,
    )


async def every(found: AsyncIterator[Any]) -> list[Any]:
    return [resource async for resource in found]


async def refused(call: Awaitable[object]) -> DataError:
    with pytest.raises(DataError) as caught:
        await call
    return caught.value
