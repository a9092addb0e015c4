"""Secrets are planted wherever a server gets them, and looked for wherever it writes.

Credentials are nowhere; addresses and commands are in their own tables and nowhere else.
"""

from __future__ import annotations

import base64
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import pytest

from symphony.v1.project_service_pb2 import GetProjectRequest
from symphony_server.store.database import parse_url
from symphony_server.store.tables import TABLES
from tests import engines
from tests.e2e.place import Place
from tests.e2e.processes import Server
from tests.engines import NewDatabase
from tests.security.busy_server import BusyServer, collector
from tests.security.canaries import AUDIT_TABLES, Planted, canary, found_in, told
from tests.server.identity_provider import AUDIENCE, ISSUER, Provider
from tests.server.scraping import Scrape

FORMATS: Final = ("json", "console")


@dataclass
class Ran:
    """What a server was told, and all that it wrote."""

    planted: Planted
    log: bytes
    errors: bytes
    strangers_errors: bytes
    metrics: bytes
    traces: bytes
    tables: dict[str, bytes]
    files: bytes

    @property
    def outside(self) -> dict[str, bytes]:
        """What others read than callers."""
        return {"the log": self.log, "the metrics": self.metrics, "the traces": self.traces}


def run(directory: Path, url: str, log_format: str) -> Ran:
    provider, planted = Provider(directory / "keys.json"), Planted()
    password = planted.credentials["the database's password"] = canary()
    variable = planted.credentials["a variable of the environment"] = canary()
    if url.startswith("postgresql:"):
        url += f"&password={password}"
    with collector() as (collector_url, sent):
        variables = {
            "SYMPHONY_DATABASE_URL": url,
            "SYMPHONY_LISTEN": "127.0.0.1:0",
            "SYMPHONY_BOOTSTRAP_ADMIN": "admin@example.com",
            "SYMPHONY_TOKEN_FILE": "symphony.token",
            "SYMPHONY_LOG_LEVEL": "DEBUG",
            "SYMPHONY_LOG_FORMAT": log_format,
            "SYMPHONY_METRICS": "127.0.0.1:0",
            "SYMPHONY_TRACES": "on",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url,
            "SYMPHONY_JWT_ISSUER": ISSUER,
            "SYMPHONY_JWT_AUDIENCE": AUDIENCE,
            "SYMPHONY_JWT_KEYS": str(provider.path),
            "PGPASSWORD": password,
            "AWS_SECRET_ACCESS_KEY": variable,
        }
        with (
            Server(directory, variables=variables) as server,
            grpc.insecure_channel(server.target) as channel,
        ):
            busy = BusyServer(Place(server, channel), provider, planted)
            busy.do_everything()
            _damage(url, busy.project.id)
            owner = busy.owner
            busy.fail(owner.projects.GetProject, GetProjectRequest(id=busy.project.id))
            metrics = _metrics(server)
            assert server.terminate() == 0
            greeting = server.greeting.encode()
            log = server.log.encode()
        traces = sent()
    tables = _tables(url)
    planted.credentials |= _server_keys(url)
    return Ran(
        planted,
        log + greeting,
        told(busy.refusals),
        told(busy.strangers_refusals),
        metrics,
        traces,
        tables,
        b"".join(path.read_bytes() for path in directory.glob("symphony.db*")),
    )


def _damage(url: str, project_id: str) -> None:
    """Leave something in the database that no server wrote, and that none can read."""
    with closing(parse_url(url).open(read_only=False)) as session:
        mark = "?" if url.startswith("sqlite:") else "%s"
        session.execute(
            f"UPDATE projects SET constraints = {mark} WHERE id = {mark}",  # noqa: S608
            (b"\xff", project_id),
        )


def _metrics(server: Server) -> bytes:
    found = re.search(r"http://(127\.0\.0\.1:\d+)/metrics", server.log)
    assert found is not None
    return Scrape(found[1], open_metrics=True).text.encode()


def _tables(url: str) -> dict[str, bytes]:
    """Every value of every table, by table."""
    found = {}
    with closing(parse_url(url).open(read_only=True)) as session:
        for table in TABLES:
            name = table._meta.table_name
            rows = session.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
            found[name] = b"\n".join(
                value if isinstance(value, bytes) else str(value).encode()
                for row in rows
                for value in row
            )
    return found


def _server_keys(url: str) -> dict[str, str]:
    """The keys in hexadecimal; they are in their own table as bytes, and nowhere in words."""
    with closing(parse_url(url).open(read_only=True)) as session:
        rows = session.execute("SELECT name, secret FROM server_keys").fetchall()
        return {f"the key {name}": bytes(secret).hex() for name, secret in rows}


@pytest.fixture(scope="module", params=[(e, f) for e in engines.ALL for f in FORMATS], ids="-".join)
def ran(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: NewDatabase,
) -> Ran:
    engine, log_format = request.param
    directory = tmp_path_factory.mktemp("secrets")
    return run(directory, new_database(engine, directory), log_format)


pytestmark = pytest.mark.timeout(180)


def test_no_credential_is_in_logs_metrics_or_traces(ran: Ran) -> None:
    assert found_in(ran.outside, ran.planted.credentials) == []


def test_no_credential_is_in_an_error(ran: Ran) -> None:
    assert found_in({"an error": ran.errors}, ran.planted.credentials) == []


def test_no_credential_is_in_the_database(ran: Ran) -> None:
    places = {**ran.tables, "the database's files": ran.files}
    assert found_in(places, ran.planted.credentials) == []


def test_addresses_and_commands_are_in_no_log_metric_or_trace(ran: Ran) -> None:
    assert found_in(ran.outside, ran.planted.personal) == []


def test_addresses_and_commands_are_in_no_audit_record(ran: Ran) -> None:
    places = {name: ran.tables[name] for name in AUDIT_TABLES}
    assert found_in(places, ran.planted.personal) == []


def test_who_may_not_read_them_is_told_no_addresses_or_commands(ran: Ran) -> None:
    assert found_in({"an error": ran.strangers_errors}, ran.planted.personal) == []


def test_what_was_looked_into_is_not_empty(ran: Ran) -> None:
    """A search in nothing finds nothing."""
    assert b"call" in ran.log
    assert b"Traceback" in ran.log or b"DecodeError" in ran.log
    assert b"symphony_refusals_total" in ran.metrics
    assert b"symphony.v1.WorkflowService" in ran.traces
    assert b"ErrorInfo" in ran.errors
    assert ran.strangers_errors
    for table in ("users", "workflows", "audit_log", "tokens", "server_keys"):
        assert ran.tables[table], table
    in_its_table = {"users": ran.tables["users"], "workflows": ran.tables["workflows"]}
    assert len(found_in(in_its_table, ran.planted.personal)) >= 2


def test_the_search_finds_what_is_there() -> None:
    """In each of the spellings that it knows."""
    secret = canary()
    for before in range(3):
        around = b"x" * before + secret.encode() + b"yz"
        for said in (around, around.hex().encode(), base64.b64encode(around)):
            assert found_in({"a place": said}, {"a secret": secret}) == ["a secret in a place"]
