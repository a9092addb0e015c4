"""A local data source that nobody closes: the process ends, and what it was answered is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from symphony_client import DataAccess
from symphony_client.adapters.local import LocalDataSource
from symphony_client.channel_settings import ChannelSettings

PROGRAM: Final = """
import asyncio, sys
from symphony.v1.project_pb2 import Project
from symphony_client import DataAccess
from symphony_client.adapters.local import LocalDataSource
from symphony_client.channel_settings import ChannelSettings

async def main():
    source = LocalDataSource(
        sys.argv[1], user="me@example.com", channel=ChannelSettings(target="unused")
    )
    projects = [DataAccess(source).projects.save(Project(name=f"Kept {n}")) for n in range(20)]
    for project in await asyncio.gather(*projects):
        print(project.id)

asyncio.run(main())
"""
SECONDS: Final = 120
"""Orders of magnitude more than it takes; it was for ever."""


def end_of_a_process_that_forgets(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, url],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.timeout(SECONDS + 60)
async def test_a_process_that_never_closes_it_ends_and_nothing_that_was_answered_is_lost(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'mine.db'}"

    ended = end_of_a_process_that_forgets(url)

    assert (ended.returncode, ended.stderr) == (0, "")
    told = ended.stdout.split()
    assert len(told) == 20
    channel = ChannelSettings(target="unused")
    async with DataAccess(LocalDataSource(url, user="me@example.com", channel=channel)) as data:
        assert all([await data.projects.find_by_id(id_) for id_ in told])
