"""`symphony …` on a PostgreSQL database, as its operator uses it."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner, Result

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony_server.cli import app
from tests.engines import MIGRATIONS
from tests.postgresql import Postgresql
from tests.server.world import Person, World


def symphony(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_migrations_are_planned_and_applied_once(postgresql: Postgresql) -> None:
    url = postgresql.empty_database()
    told = [
        symphony("migrate", *plan, "--database", url).stdout
        for plan in (("--plan",), (), ("--plan",), ())
    ]
    assert told == [
        "".join(f"pending {name}\n" for name in MIGRATIONS),
        "".join(f"applied {name}\n" for name in MIGRATIONS),
        "nothing to do\n",
        "nothing to do\n",
    ]


def test_a_token_is_made_listed_and_revoked_beside_a_running_server(
    postgresql: Postgresql, tmp_path: Path
) -> None:
    with postgresql.migrated() as url, World(tmp_path, url) as world:
        user = world.user()
        made = symphony("token", "create", "--user", user.id, "--database", url)
        assert made.exit_code == 0
        person = Person(user.channel, made.stdout.strip())
        token = person.get(person.access.WhoAmI, WhoAmIRequest()).token
        listed = symphony("token", "list", "--user", user.user.email, "--database", url)
        assert token.id in listed.stdout
        assert symphony("token", "revoke", token.id, "--database", url).exit_code == 0
        assert person.refused_within_a_second().code == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "command", [("migrate",), ("audit", "verify"), ("token", "list", "--user", "x")]
)
def test_a_server_that_is_not_there_is_told_in_a_sentence_without_the_password(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    url = f"postgresql://me:secret@/data?host={tmp_path}"
    told = symphony(*command, "--database", url)
    assert told.exit_code == 1
    assert told.stderr.startswith(f"symphony: the database postgresql://{tmp_path}/data does not")
    assert "secret" not in told.output
