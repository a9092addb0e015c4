"""Installs an extension from its manifest's file; a risky manifest is refused with each finding."""

import asyncio
import json
import tempfile
from pathlib import Path
from uuid import uuid4

from symphony.v1.project_pb2 import Project
from symphony_client import DataAccess, DataError, PreValidationFailed
from symphony_client.use_cases import InstallExtensionUseCase

MANIFEST = {
    "name": "word-count",
    "version": "1.0.0",
    "type": "operator",
    "publisher": "example",
    "entry_point": "dist/main.js",
    "permissions": ["workflow.read"],
    "homepage": "https://example.com/word-count",
}


async def main() -> None:
    async with DataAccess.from_env() as data:
        project = await data.projects.save(Project(name=f"Extended {uuid4().hex[:8]}"))
        install = InstallExtensionUseCase(data.extensions)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "manifest.json")
            path.write_text(json.dumps(MANIFEST))
            extension = await install.execute(project.id, path)
            print(extension.name, extension.version, "is installed")

            path.write_text(json.dumps({**MANIFEST, "name": "other", "entry_point": "/bin/sh"}))
            try:
                await install.execute(project.id, path)
            except DataError as error:
                print(error.reason, [violation.rule for violation in error.violations])

            try:
                await install.execute(project.id, Path(directory, "missing.json"))
            except PreValidationFailed as error:
                print("not even sent:", error.violations[0].rule)


if __name__ == "__main__":
    asyncio.run(main())
