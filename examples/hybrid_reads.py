"""Reads from a local replica, writes through the server, and says how stale the replica is."""

import asyncio
from uuid import uuid4

from symphony.v1.project_pb2 import Project
from symphony_client import DataAccess
from symphony_client.adapters.hybrid import HybridDataSource


async def main() -> None:
    async with DataAccess.from_env() as plain:
        hybrid = HybridDataSource(plain.source)
        data = DataAccess(hybrid)
        project = await data.projects.save(Project(name=f"Replicated {uuid4().hex[:8]}"))
        # One's own writes are read at once, however far behind the replica is.
        found = await data.projects.find_by_id(project.id)
        print("reads its own write:", found == project)
        await hybrid.ready()
        staleness = hybrid.staleness()
        print("connected:", staleness.connected, "at a revision:", staleness.revision is not None)
        await data.close()


if __name__ == "__main__":
    asyncio.run(main())
