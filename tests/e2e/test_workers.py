"""Several workers behind one port are as one server, whatever happens to one of them."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from cryptography import x509

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from symphony_server.worker_orders import Orders
from tests.e2e.ledger import read_database
from tests.e2e.processes import BIN, WAIT_SECONDS, Server, Tool, environment, symphony
from tests.e2e.supervised import Callers, Supervised, own_connection, wait_until
from tests.postgresql import Postgresql
from tests.server.test_tls import Authority
from tests.server.world import read_refusal

pytestmark = pytest.mark.timeout(180)

WORKERS = 2
AS_FAST_AS_IT_CAN = ("--dev", "--no-rate-limits", "--workers", str(WORKERS))
CALLERS = 8
BURST = 300


def read_maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def test_workers_share_the_connections_and_the_supervisor_has_no_part_in_them(
    tmp_path: Path,
) -> None:
    with Supervised(tmp_path, *AS_FAST_AS_IT_CAN) as server, ExitStack() as stack:
        workers = server.workers
        assert len(workers) == WORKERS
        channels = [
            stack.enter_context(own_connection([server.target], server.token)) for _ in range(40)
        ]
        for channel in channels:
            AccessServiceStub(channel).WhoAmI(WhoAmIRequest())
        # The system spreads them by chance: 40 of 40 at one is one in 10^12.
        assert all(server.connections(pid) for pid in workers)
        assert "cygrpc" not in read_maps(server.process.pid)
        assert all("cygrpc" in read_maps(pid) for pid in workers)


def test_what_is_made_first_is_made_once_and_told_once(tmp_path: Path) -> None:
    with Supervised(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        assert server.next_line().startswith("made the first ADMIN, admin@localhost")
        admin = Tool("grpcurl", server, server.token)
        users = admin.call("UserService/ListUsers").json["users"]
        emails = [user["email"] for user in users]
        assert len(emails) == len(set(emails))
        assert len(server.events("worker serves")) == WORKERS
        assert server.terminate() == 0


def test_a_worker_that_is_killed_is_replaced_and_no_call_fails(tmp_path: Path) -> None:
    with Supervised(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        callers = Callers([server.target], server.token, CALLERS)
        before = server.workers
        with callers.calling():
            callers.wait_for_answers()
            victim = max(before, key=server.connections)
            os.kill(victim, signal.SIGKILL)
            server.wait_for("worker serves", WORKERS + 1)
            callers.wait_for_answers()
        assert callers.failed == []
        assert len(server.workers) == WORKERS
        assert server.workers - before
        assert [event["code"] for event in server.events("worker ended")] == [-signal.SIGKILL]
        assert server.terminate() == 0
    check(server, callers)


@pytest.mark.parametrize(("number", "connections"), [(CALLERS, CALLERS), (32, 1)])
def test_all_workers_are_exchanged_under_load_and_no_call_fails(
    tmp_path: Path, number: int, connections: int
) -> None:
    with Supervised(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        callers = Callers([server.target], server.token, number, connections=connections)
        seen = server.workers
        with callers.calling():
            for _ in range(2):
                callers.wait_for_answers()
                server.reload()
                assert not seen & server.workers
                seen |= server.workers
            callers.wait_for_answers()
        assert callers.failed == []
        assert server.terminate() == 0
    check(server, callers)


def check(server: Server, callers: Callers) -> None:
    """Everything acknowledged is there, once, with one record, in a log without gaps."""
    kept = read_database(server, callers.project.id)
    assert kept.names == callers.made
    assert set(kept.created.values()) == {1}


def test_a_worker_that_does_not_start_ends_the_exchange_and_the_old_ones_go_on(
    tmp_path: Path,
) -> None:
    certificate, key = Authority(tmp_path).issue("server", x509.DNSName("localhost"))
    away = tmp_path / "away"
    tls = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with Supervised(tmp_path, *AS_FAST_AS_IT_CAN, *tls) as server:
        before = server.workers
        certificate.rename(away)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("reload stopped; the other workers go on")
        assert server.workers == before
        away.rename(certificate)
        server.reload()
        assert not server.workers & before
        assert server.terminate() == 0


def test_calls_under_way_are_answered_before_the_end(tmp_path: Path) -> None:
    with Supervised(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        callers = Callers([server.target], server.token, CALLERS)
        with callers.calling():
            callers.wait_for_answers()
            assert server.terminate() == 0
            wait_until(lambda: bool(callers.failed))
        assert {failure.partition(":")[0] for failure in callers.failed} == {
            "StatusCode.UNAVAILABLE"
        }
    kept = read_database(server, callers.project.id)
    assert callers.made.items() <= kept.names.items()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    variables = {**environment(), "SYMPHONY_DRAIN_SECONDS": "600", "SYMPHONY_DEV": "1"}
    arguments = ("--listen", "127.0.0.1:0", "--workers", "2")
    with Supervised(tmp_path, *arguments, variables=variables) as server:
        workers = server.workers
        server.process.send_signal(signal.SIGINT)
        server.wait_for("stopping")
        assert server.terminate() == 1
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with Supervised(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        workers = server.workers
        server.kill()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def test_a_worker_ends_when_its_supervisor_does_and_left_something_unread(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs, tempfile.TemporaryFile() as buckets:
        worker = subprocess.Popen(
            [sys.executable, "-m", "symphony_server.worker"],
            cwd=tmp_path,
            env=environment(),
            stdin=theirs.fileno(),
            pass_fds=(buckets.fileno(),),
        )
        orders = Orders(
            settings={"listen": "127.0.0.1:0", "dev": True, "worker": 1}, buckets=buckets.fileno()
        )
    with worker:
        with ours:
            ours.sendall(orders.model_dump_json().encode() + b"\n")
            assert select.select([ours], [], [], WAIT_SECONDS)[0] == [ours]  # it serves
        try:
            assert worker.wait(WAIT_SECONDS) == 0
        finally:
            worker.kill()


@pytest.mark.parametrize("first", ["1", "2"])
@pytest.mark.parametrize("second", ["1", "2"])
def test_a_second_server_does_not_get_the_port(tmp_path: Path, first: str, second: str) -> None:
    with Supervised(tmp_path, "--dev", "--workers", first) as server:
        refused = symphony(
            "serve", "--dev", "--workers", second, "--listen", server.target, cwd=tmp_path
        )
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1].startswith("symphony: ")
        assert server.port
        assert str(server.port) in refused.stderr


def test_what_is_wrong_is_said_once_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("Dear diary, " * 100)
    database = ("--database", "sqlite:///text.db")
    refused = symphony(
        "serve", *database, "--workers", "2", "--listen", "127.0.0.1:0", cwd=tmp_path
    )
    assert refused.returncode == 1
    said = [line for line in refused.stderr.splitlines() if line.startswith("symphony: ")]
    assert len(said) == 2  # that SQLite is not made for it, and what is wrong
    assert "text.db" in said[1]


def test_a_users_burst_is_one_over_all_workers(tmp_path: Path) -> None:
    tiers = json.dumps({"enterprise": {"requests_per_second": 1, "request_burst": BURST}})
    variables = {**environment(), "SYMPHONY_TIERS": tiers, "SYMPHONY_DEV": "1"}
    arguments = ("--listen", "127.0.0.1:0", "--workers", str(WORKERS))
    with Supervised(tmp_path, *arguments, variables=variables) as server, ExitStack() as stack:
        channels = [
            stack.enter_context(own_connection([server.target], server.token)) for _ in range(16)
        ]
        ready = threading.Barrier(len(channels))
        refusals: set[str] = set()

        def ask(channel: grpc.Channel) -> int:
            who_am_i, answered = AccessServiceStub(channel).WhoAmI, 0
            ready.wait()
            for _ in range(BURST // 4):
                try:
                    who_am_i(WhoAmIRequest())
                    answered += 1
                except grpc.RpcError as error:
                    refusals.add(read_refusal(error).reason)
            return answered

        with ThreadPoolExecutor(len(channels)) as pool:
            answered = sum(pool.map(ask, channels))
        assert all(server.connections(pid) for pid in server.workers)
        assert refusals == {"RATE_LIMITED"}
        # One more for each second that it takes.
        assert BURST <= answered <= BURST + WAIT_SECONDS


def test_ten_servers_with_workers_that_start_together_are_one(
    postgresql: Postgresql, tmp_path: Path
) -> None:
    url = postgresql.empty_database()
    with ExitStack() as stack:
        processes = []
        for number in range(10):
            log = stack.enter_context((tmp_path / f"{number}.log").open("w"))
            process = subprocess.Popen(
                [
                    *(BIN / "symphony", "serve", "--database", url, "--workers", "2"),
                    *("--listen", "127.0.0.1:0", "--bootstrap-admin", "admin@example.com"),
                    *("--token-file", tmp_path / f"{number}.token"),
                ],
                env={**environment(), "PYTHONUNBUFFERED": "1"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            processes.append(process)
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert "serves postgresql://" in process.stdout.readline()
        for process in processes:
            process.terminate()
        said = [process.communicate()[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * 10
    assert sum("made the first ADMIN" in text for text in said) == 1
    assert len(list(tmp_path.glob("*.token"))) == 1
    migrations = postgresql.execute(
        "SELECT count(*), count(DISTINCT name) FROM schema_migration", url
    )
    assert migrations[0][0] == migrations[0][1] > 0
    assert postgresql.execute("SELECT count(*) FROM users", url) == [(1,)]
