"""A server that stands still amid its writes does not hold up the others on its database."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.e2e.ledger import Ledger
from tests.e2e.processes import Server, symphony
from tests.e2e.test_durability import new_project
from tests.postgresql import Postgresql

ROUNDS = 3
IDLE_MS = 300
"""Instead of the five seconds that it has otherwise."""
HELD_UP_SECONDS = 10
"""Far longer than that, and far shorter than a server that was stopped would hold them up."""


@pytest.mark.timeout(180)
async def test_a_server_that_is_stopped_amid_its_writes_holds_up_no_other(
    postgresql: Postgresql, tmp_path: Path
) -> None:
    with postgresql.migrated() as url:
        url += f"&options=-c%20idle_in_transaction_session_timeout%3D{IDLE_MS}"
        arguments = ("--dev", "--no-rate-limits", "--database", url)
        with Server(tmp_path, *arguments) as one, Server(tmp_path, *arguments) as other:
            ledger, others = Ledger(new_project(one)), Ledger(new_project(other))
            for number in range(ROUNDS):
                ledger.first_answer.clear()
                writing = asyncio.create_task(
                    ledger.create(one, [f"stopped-{number}-{n}" for n in range(200)])
                )
                await ledger.first_answer.wait()
                one.process.send_signal(signal.SIGSTOP)
                try:
                    async with asyncio.timeout(HELD_UP_SECONDS):
                        await others.create(other, [f"other-{number}-{n}" for n in range(40)])
                finally:
                    one.process.send_signal(signal.SIGCONT)
                assert not others.unknown
                await writing
            # It goes on, and who asks again gets what was asked for, once.
            await ledger.create(one, sorted(ledger.unknown))
            assert not ledger.unknown
            made = [*ledger.acknowledged.values(), *others.acknowledged.values()]
        rows = postgresql.execute("SELECT id FROM workflows WHERE name_key LIKE '%-%-%'", url)
        assert sorted(row[0] for row in rows) == sorted(workflow.id for workflow in made)
        told = symphony("audit", "verify", "--database", url, cwd=tmp_path)
        assert told.returncode == 0, told.stderr
