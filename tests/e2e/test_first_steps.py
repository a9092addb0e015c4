"""What a newcomer does and sees, with the real server and the tools that people have."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.rpc import error_details_pb2

from symphony_server.ids import new_id
from tests.e2e.processes import GENERATED, Server, Shown, Tool, environment, run, symphony

STEPS = [
    {"name": "fetch", "command": "git pull"},
    {"name": "build", "command": "make", "depends_on": ["fetch"]},
    {"name": "test", "command": "make test", "depends_on": ["build"]},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("serve")) as started:
        yield started


@pytest.fixture(params=["grpcurl", "buf"])
def tool(request: pytest.FixtureRequest, server: Server) -> Tool:
    return Tool(request.param, server, server.token)


def project_of(tool: Tool) -> str:
    made = tool.call("ProjectService/CreateProject", name="First steps").json
    return str(made["id"])


def create(tool: Tool, project_id: str, **spec: Any) -> Shown:
    spec = {"name": "Build", "steps": STEPS, **spec}
    return tool.call("WorkflowService/CreateWorkflow", project_id=project_id, spec=spec)


def test_a_person_makes_reads_and_lists_a_workflow(tool: Tool) -> None:
    project_id = project_of(tool)
    made = create(tool, project_id).json
    workflow_id = made["id"]
    got = tool.call("WorkflowService/GetWorkflow", id=workflow_id).json
    listed = tool.call("WorkflowService/ListWorkflows", project_id=project_id).json
    assert got == made
    assert [workflow["id"] for workflow in listed["workflows"]] == [workflow_id]
    cost = got.get("estimated_cost") or got["estimatedCost"]
    assert "15s" in json.dumps(cost)


def see(shown: Shown, *said: str) -> None:
    """The call failed, and a person reads these words somewhere in what is shown."""
    assert shown.code != 0
    text = shown.err + shown.out + decoded(shown.err)
    for words in said:
        assert words in text, text


def decoded(error: str) -> str:
    """The details that `buf curl` prints as base64; grpcurl prints them decoded."""
    if not error.startswith("{"):
        return ""
    text = ""
    for detail in json.loads(error)["details"]:
        kind = getattr(error_details_pb2, detail["type"].rpartition(".")[2])
        padding = "=" * (-len(detail["value"]) % 4)
        message = kind.FromString(base64.b64decode(detail["value"] + padding))
        text += f"{detail['type']} {message}\n"
    return text


def a_blank_name(tool: Tool, project_id: str) -> Shown:
    return create(tool, project_id, name="  ")


def a_thousand_and_one_steps(tool: Tool, project_id: str) -> Shown:
    return create(
        tool, project_id, steps=[{"name": f"s{n}", "command": "true"} for n in range(1001)]
    )


def a_cycle(tool: Tool, project_id: str) -> Shown:
    steps = [
        {"name": "a", "command": "x", "depends_on": ["c"]},
        {"name": "b", "command": "x", "depends_on": ["a"]},
        {"name": "c", "command": "x", "depends_on": ["b"]},
    ]
    return create(tool, project_id, steps=steps)


def an_unknown_dependency(tool: Tool, project_id: str) -> Shown:
    return create(
        tool, project_id, steps=[{"name": "a", "command": "x", "depends_on": ["missing"]}]
    )


def a_wrong_id_prefix(tool: Tool, project_id: str) -> Shown:
    return create(tool, project_id.replace("project_", "workflow_"))


def a_duplicate_name(tool: Tool, project_id: str) -> Shown:
    create(tool, project_id, name="Same")
    return create(tool, project_id, name="SAME")


def a_missing_token(tool: Tool, project_id: str) -> Shown:
    return create(Tool(tool.name, tool.server), project_id)


@pytest.mark.parametrize(
    ("mistake", "words", "reason", "field"),
    [
        (a_blank_name, "must not be blank", "FIELD_INVALID", "spec.name"),
        (
            a_thousand_and_one_steps,
            "must have at most 1000 items; it has 1001",
            "FIELD_INVALID",
            "spec.steps",
        ),
        (a_cycle, "in a circle", "STEP_DEPENDENCY_CYCLE", "depends_on"),
        (an_unknown_dependency, "is not a step", "STEP_DEPENDENCY_UNKNOWN", "depends_on[0]"),
        (a_wrong_id_prefix, "this is the id of a workflow", "FIELD_INVALID", "project_id"),
        (a_duplicate_name, "is taken", "DUPLICATE_NAME", "spec.name"),
        (a_missing_token, "no credentials came with the call", "CREDENTIALS_MISSING", ""),
    ],
)
def test_a_mistake_is_told_in_plain_words_and_decodable_details(
    tool: Tool,
    mistake: Callable[[Tool, str], Shown],
    words: str,
    reason: str,
    field: str,
) -> None:
    shown = mistake(tool, project_of(tool))
    see(shown, words, reason, field, "symphony.v1")
    if mistake is a_cycle:
        assert any(path in shown.err for path in ("a -> c -> b -> a", "a -\\u003e c -\\u003e b"))


def test_a_free_users_eleventh_workflow_is_refused(tool: Tool) -> None:
    user = tool.call(
        "UserService/CreateUser",
        email=f"{new_id('user')}@example.com",
        name="Fred",
        tier="TIER_FREE",
        roles=["ROLE_DEVELOPER"],
    ).json
    made = tool.call("AccessService/CreateToken", user_id=user["id"], name="t").json
    fred = Tool(tool.name, tool.server, made["secret"])
    project_id = project_of(fred)
    for n in range(10):
        assert create(fred, project_id, name=f"w{n}").code == 0
    see(
        create(fred, project_id, name="w10"),
        "allows 10 workflows",
        "TIER_WORKFLOW_LIMIT",
        "QuotaFailure",
    )


def test_a_strangers_project_looks_absent(tool: Tool) -> None:
    project_id = project_of(tool)
    user = tool.call(
        "UserService/CreateUser",
        email=f"{new_id('user')}@example.com",
        name="Stranger",
        roles=["ROLE_DEVELOPER"],
    ).json
    made = tool.call("AccessService/CreateToken", user_id=user["id"], name="t").json
    stranger = Tool(tool.name, tool.server, made["secret"])
    see(
        stranger.call("ProjectService/GetProject", id=project_id),
        "that you may read",
        "RESOURCE_NOT_FOUND",
    )
    see(create(stranger, project_id), "COLLABORATOR", "PROJECT_ACCESS_REQUIRED")


def test_a_stale_etag_is_told(tool: Tool) -> None:
    made = create(tool, project_of(tool)).json
    change = {"workflow": {"id": made["id"], "shared": True, "etag": made["etag"]}}
    assert tool.call("WorkflowService/UpdateWorkflow", **change).code == 0
    see(
        tool.call("WorkflowService/UpdateWorkflow", **change),
        "has changed since it was read",
        "ETAG_MISMATCH",
    )


def test_the_printed_lines_work_as_they_are_pasted(tmp_path: Path) -> None:
    with Server(tmp_path) as started:
        lines = [line for line in started.read_greeting(5) if "grpcurl" in line]
        assert len(lines) == 3
        for line in lines:
            pasted = subprocess.run(
                ["sh", "-c", line],  # noqa: S607
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert pasted.returncode == 0, pasted.stderr
            assert json.loads(pasted.stdout)
        assert stat.S_IMODE((tmp_path / "symphony.token").stat().st_mode) == 0o600


def test_a_second_start_makes_nothing_again_and_sigterm_ends_with_zero(tmp_path: Path) -> None:
    with Server(tmp_path) as started:
        token = started.token
        users = Tool("grpcurl", started, token).call("UserService/ListUsers").json["users"]
        assert started.terminate() == 0
    with Server(tmp_path) as again:
        assert again.token == token
        assert Tool("grpcurl", again, token).call("UserService/ListUsers").json["users"] == users


def test_a_server_describes_itself_to_tools(server: Server) -> None:
    listed = run(["grpcurl", "-plaintext", server.target, "list"], "", server.directory)
    assert "symphony.v1.WorkflowService" in listed.out
    assert "grpc.reflection.v1.ServerReflection" in listed.out
    described = run(
        ["grpcurl", "-plaintext", server.target, "describe", "symphony.v1.Workflow"],
        "",
        server.directory,
    )
    assert "estimated_cost" in described.out
    health = run(
        ["grpcurl", "-plaintext", server.target, "grpc.health.v1.Health/Check"],
        "",
        server.directory,
    )
    assert health.json == {"status": "SERVING"}


def test_the_shipped_descriptors_do_without_reflection(server: Server) -> None:
    shown = run(
        [
            "grpcurl",
            "-plaintext",
            "-protoset",
            str(GENERATED / "symphony.binpb"),
            server.target,
            "symphony.v1.ServerInfoService/GetServerInfo",
        ],
        "",
        server.directory,
    )
    assert "symphony.v1" in shown.json.values()


def test_an_operator_makes_lists_and_revokes_tokens_of_a_running_server(server: Server) -> None:
    made = symphony("token", "create", "--user", "developer@localhost", cwd=server.directory)
    assert made.returncode == 0, made.stderr
    secret, token_id = made.stdout.strip(), made.stderr.split()[0]
    developer = Tool("grpcurl", server, secret)
    me = developer.call("AccessService/WhoAmI").json
    assert me["user"]["email"] == "developer@localhost"
    listed = symphony("token", "list", "--user", "developer@localhost", cwd=server.directory)
    assert token_id in listed.stdout
    assert secret not in listed.stdout
    assert symphony("token", "revoke", token_id, cwd=server.directory).returncode == 0
    deadline = time.monotonic() + 1
    shown = developer.call("AccessService/WhoAmI")
    while shown.code == 0 and time.monotonic() < deadline:
        shown = developer.call("AccessService/WhoAmI")
    see(shown, "CREDENTIALS_INVALID")
    unknown = symphony("token", "create", "--user", "x@y", cwd=server.directory)
    assert unknown.returncode == 1
    assert "there is no user x@y" in unknown.stderr


def test_the_command_says_what_it_is_and_what_is_wrong(server: Server, tmp_path: Path) -> None:
    assert symphony("--version", cwd=tmp_path).stdout.startswith("symphony 0.")
    open_to_all = symphony("serve", "--listen", "0.0.0.0:0", cwd=tmp_path)
    assert open_to_all.returncode == 2
    assert "--insecure" in open_to_all.stderr
    taken = symphony("serve", "--listen", server.target, cwd=tmp_path)
    assert taken.returncode == 1
    assert str(server.port) in taken.stderr
    elsewhere = symphony("migrate", "--database", "mysql://x", cwd=tmp_path)
    assert elsewhere.returncode == 2
    assert "sqlite:///" in elsewhere.stderr
    planned = symphony("migrate", "--plan", "--database", "sqlite:///m.db", cwd=tmp_path)
    assert planned.stdout.startswith("pending 0001")
    applied = symphony("migrate", "--database", "sqlite:///m.db", cwd=tmp_path)
    assert applied.stdout.startswith("applied 0001")
    assert (
        "nothing to do" in symphony("migrate", "--database", "sqlite:///m.db", cwd=tmp_path).stdout
    )
