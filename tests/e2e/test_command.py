"""The `symphony` command: what it prints, makes and refuses, and how a server ends."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from tests.e2e.processes import (
    GENERATED,
    WAIT_SECONDS,
    Server,
    Shown,
    Tool,
    bare_environment,
    environment,
    symphony,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Without rates, for a test that calls as fast as it can.
    with Server(tmp_path_factory.mktemp("serve"), "--dev", "--no-rate-limits") as started:
        yield started


@pytest.fixture
def anybody(server: Server) -> Tool:
    return Tool("grpcurl", server)


def grpcurl(anybody: Tool, *arguments: str) -> Shown:
    return anybody.run("grpcurl", "-plaintext", *arguments)


@pytest.mark.parametrize("tools_on_path", [True, False])
def test_the_printed_lines_work_as_they_are_pasted(tmp_path: Path, tools_on_path: bool) -> None:
    shell = environment() if tools_on_path else bare_environment()
    variables = {**shell, "SYMPHONY_DEV": "1", "SYMPHONY_LISTEN": "127.0.0.1:0"}
    with Server(tmp_path, variables=variables) as started:
        assert started.next_line().startswith("made the first ADMIN, admin@localhost")
        assert "try it" in started.next_line()
        for line in [started.next_line() for _ in range(3)]:
            pasted = subprocess.run(
                ["sh", "-c", line],  # noqa: S607 - as a person does
                cwd=tmp_path,
                env=shell,
                capture_output=True,
                text=True,
                timeout=WAIT_SECONDS,
                check=False,
            )
            assert pasted.returncode == 0, pasted.stderr
            assert json.loads(pasted.stdout)


def test_everything_can_be_set_in_the_environment(tmp_path: Path) -> None:
    variables = {
        "SYMPHONY_LISTEN": "127.0.0.1:0",
        "SYMPHONY_DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.db",
        "SYMPHONY_BOOTSTRAP_ADMIN": "root@example.com",
        "SYMPHONY_TOKEN_FILE": str(tmp_path / "symphony.token"),
    }
    (tmp_path / "symphony.token").write_text("an old one, readable by all")
    with Server(tmp_path, variables=variables) as started:
        admin = Tool("grpcurl", started, started.token)
        assert admin.call("AccessService/WhoAmI").json["user"]["email"] == "root@example.com"
        assert len(admin.call("UserService/ListUsers").json["users"]) == 1
        assert (tmp_path / "elsewhere.db").exists()
        assert started.terminate(signal.SIGINT) == 0
        assert stat.S_IMODE((tmp_path / "symphony.token").stat().st_mode) == 0o600


def test_a_server_that_is_told_to_end_exits_with_zero_and_goes_on_from_there(
    tmp_path: Path,
) -> None:
    with Server(tmp_path) as started:
        token = started.token
        assert stat.S_IMODE((tmp_path / "symphony.token").stat().st_mode) == 0o600
        users = Tool("grpcurl", started, token).call("UserService/ListUsers").json["users"]
        assert {user["email"] for user in users} >= {"admin@localhost", "developer@localhost"}
        assert started.terminate() == 0
    with Server(tmp_path) as again:
        assert again.token == token
        assert Tool("grpcurl", again, token).call("UserService/ListUsers").json["users"] == users


def test_a_server_describes_itself_by_both_versions_of_reflection(anybody: Tool) -> None:
    target = anybody.server.target
    listed = grpcurl(anybody, target, "list").out.split()  # knows v1alpha only
    described = grpcurl(anybody, target, "describe", "symphony.v1.Workflow").out
    for version in ("grpc-v1", "grpc-v1alpha"):
        shown = anybody.run(
            *("buf", "curl", "--http2-prior-knowledge", "--protocol", "grpc"),
            *("--reflect-protocol", version, "--list-methods", f"http://{target}"),
        )
        methods = shown.out.split()
        assert {name.partition("/")[0] for name in methods} == set(listed), shown.err
        assert "symphony.v1.WorkflowService/CreateWorkflow" in methods
    assert "grpc.reflection.v1.ServerReflection" in listed
    assert "estimated_cost" in described
    method = grpcurl(anybody, target, "describe", "symphony.v1.WorkflowService.CreateWorkflow").out
    assert "rpc CreateWorkflow ( .symphony.v1.CreateWorkflowRequest )" in method
    reasons = grpcurl(anybody, target, "describe", "symphony.v1.ErrorReason").out
    assert "// ABORTED. The resource has changed since the given etag was read" in reasons


def test_fields_are_named_as_in_the_contract(anybody: Tool) -> None:
    info = grpcurl(anybody, anybody.server.target, "symphony.v1.ServerInfoService/GetServerInfo")
    assert "contract_version" in info.json


def test_the_shipped_descriptors_do_without_reflection(anybody: Tool) -> None:
    protoset = ("-protoset", str(GENERATED / "symphony.binpb"), "-use-reflection=false")
    method = "symphony.v1.ServerInfoService/GetServerInfo"
    shown = grpcurl(anybody, *protoset, anybody.server.target, method)
    assert "symphony.v1" in shown.json.values()
    refused = grpcurl(anybody, *protoset, anybody.server.target, "symphony.v1.AccessService/WhoAmI")
    assert '"reason":"CREDENTIALS_MISSING"' in refused.err


def test_a_server_says_that_it_serves(anybody: Tool) -> None:
    for service in ("", "symphony.v1.WorkflowService"):
        asked = json.dumps({"service": service})
        target = anybody.server.target
        shown = grpcurl(anybody, "-d", asked, target, "grpc.health.v1.Health/Check")
        assert shown.json == {"status": "SERVING"}


def test_an_operator_makes_and_lists_tokens_of_a_running_server(server: Server) -> None:
    made = symphony("token", "create", "--user", "developer@localhost", cwd=server.directory)
    assert made.returncode == 0, made.stderr
    secret, token_id = made.stdout.strip(), made.stderr.split()[0]
    listed = symphony("token", "list", "--user", "developer@localhost", cwd=server.directory)
    me = Tool("grpcurl", server, secret).call("AccessService/WhoAmI").json
    assert me["user"]["email"] == "developer@localhost"
    assert token_id in listed.stdout
    assert secret not in listed.stdout


def test_a_token_revoked_by_the_operator_is_refused_within_a_second(server: Server) -> None:
    made = symphony("token", "create", "--user", "developer@localhost", cwd=server.directory)
    secret, token_id = made.stdout.strip(), made.stderr.split()[0]
    taken_at: list[float] = []
    refusals: list[grpc.StatusCode] = []

    def use_it_until_it_is_refused() -> None:
        # Without a pause, so that the server never has to look it up anew.
        with grpc.insecure_channel(server.target) as channel:
            who_am_i = AccessServiceStub(channel).WhoAmI
            while not refusals:
                asked_at = time.monotonic()
                try:
                    who_am_i(
                        WhoAmIRequest(),
                        metadata=(("authorization", f"Bearer {secret}"),),
                        timeout=WAIT_SECONDS,
                    )
                except grpc.RpcError as error:
                    refusals.append(error.code())
                else:
                    taken_at.append(asked_at)

    user = threading.Thread(target=use_it_until_it_is_refused)
    user.start()
    revoked = symphony("token", "revoke", token_id, cwd=server.directory)
    revoked_at = time.monotonic()
    user.join(WAIT_SECONDS)

    assert revoked.returncode == 0, revoked.stderr
    assert refusals == [grpc.StatusCode.UNAUTHENTICATED]
    assert taken_at
    assert taken_at[-1] < revoked_at + 1


def test_a_token_for_nobody_is_refused_in_a_sentence(server: Server) -> None:
    made = symphony("token", "create", "--user", "x@y", cwd=server.directory)
    assert made.returncode == 1
    assert "symphony: there is no user x@y" in made.stderr


def test_the_command_says_what_version_it_is(tmp_path: Path) -> None:
    shown = symphony("--version", cwd=tmp_path)
    assert shown.returncode == 0
    assert shown.stdout.startswith("symphony 0.")
    assert not list(tmp_path.iterdir())


def test_a_server_open_to_all_without_tls_does_not_start(tmp_path: Path) -> None:
    refused = symphony("serve", "--listen", "0.0.0.0:0", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--insecure" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_an_address_that_is_taken_is_told_in_a_sentence(server: Server, tmp_path: Path) -> None:
    refused = symphony("serve", "--listen", server.target, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines()[-1].startswith("symphony: ")
    assert server.target in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///text.db", "text.db does not open: file is not a database"),
        ("sqlite:///folder", "folder does not open"),
    ],
)
def test_a_database_that_is_none_is_told_in_a_sentence(
    tmp_path: Path, url: str, words: str
) -> None:
    (tmp_path / "text.db").write_text("Dear diary, " * 100)
    (tmp_path / "folder").mkdir()
    refused = symphony("serve", "--database", url, "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("symphony: ")
    assert words in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_migrations_are_planned_applied_and_then_done(tmp_path: Path) -> None:
    said = [
        symphony("migrate", *plan, "--database", "sqlite:///m.db", cwd=tmp_path).stdout
        for plan in (["--plan"], [], [])
    ]
    assert said[0].startswith("pending 0001")
    assert said[1].startswith("applied 0001")
    assert said[2] == "nothing to do\n"


def test_a_server_ends_though_nobody_reads_what_it_says(tmp_path: Path) -> None:
    with Server(tmp_path, "--bootstrap-admin", "a@example.com", "--token-file", "t") as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
