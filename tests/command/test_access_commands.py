"""`symphony can`, `explain`, `whoami`, `info` and `audit` against a real server."""

from __future__ import annotations

import json

from symphony.v1.access_service_pb2 import (
    AccessCheck,
    CheckAccessRequest,
    ExplainDecisionRequest,
    WhoAmIRequest,
)
from symphony.v1.audit_service_pb2 import GetAuditRecordRequest, ListAuditRecordsRequest
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.user_pb2 import Role
from tests.command.terminal import COLUMNS, Terminal, contract_json
from tests.server.world import World


def test_can_answers_in_words_json_and_exit_code(world: World, terminal: Terminal) -> None:
    person, project = world.user(), world.project(world.admin, name="Asked about")
    question = ("can", person.user.email, "workflows.create", "Asked about")
    no = terminal.run(*question)
    assert no.code == 1
    assert no.out.startswith(f"no: {person.user.email} would be told: ")
    asked_oneself = terminal.of(person).run("can", "me", "workflows.create", project.id)
    assert asked_oneself.out.startswith("no: you need to be COLLABORATOR")
    assert "PROJECT_ACCESS_REQUIRED" in no.out
    check = AccessCheck(permission="workflows.create", resource_id=project.id)
    answer = world.admin.get(
        world.admin.access.CheckAccess, CheckAccessRequest(user_id=person.id, checks=[check])
    )
    as_json = terminal.run(*question, "-o", "json")
    assert as_json.code == 1
    assert json.loads(as_json.out) == contract_json(answer.decisions[0])
    world.join(project, person, ProjectRole.PROJECT_ROLE_COLLABORATOR)
    assert terminal.run(*question).text.startswith("yes")
    assert terminal.of(person).run("can", "me", "projects.create").code == 0


def test_a_refusal_names_the_decision_and_explain_tells_it(
    world: World, terminal: Terminal
) -> None:
    viewer = world.user(Role.ROLE_VIEWER)
    refused = terminal.of(viewer).run("projects", "create", "Mine")
    assert refused.code == 4
    command = next(line for line in refused.err.splitlines() if "symphony explain" in line)
    explained = terminal.of(viewer).run(*command.split()[1:])
    assert "refused" in explained.out
    assert "What would have to change:" in explained.out
    assert max(map(len, explained.out.splitlines())) <= COLUMNS
    decision_id = command.split()[-1]
    answer = viewer.get(
        viewer.access.ExplainDecision, ExplainDecisionRequest(decision_id=decision_id)
    )
    as_json = terminal.of(viewer).run("explain", decision_id, "-o", "json")
    assert as_json.json == contract_json(answer)


def test_whoami_and_info_say_what_the_stubs_do(world: World, terminal: Terminal) -> None:
    admin = world.admin
    assert terminal.run("whoami", "-o", "json").json["user"] == contract_json(
        admin.get(admin.access.WhoAmI, WhoAmIRequest()).user
    )
    assert "Roles admin" in terminal.run("whoami").text
    answer = admin.get(admin.info.GetServerInfo, GetServerInfoRequest())
    nobody = Terminal(terminal.directory, terminal.server)
    assert nobody.run("info", "-o", "json").json == contract_json(answer)
    assert "enterprise no limit" in nobody.run("info").text


def test_an_admin_acts_as_another(world: World, terminal: Terminal) -> None:
    person = world.user()
    shown = terminal.run("whoami", "--act-as", person.id)
    assert person.user.email in shown.out
    assert "acting for this user" in shown.text


def test_who_is_acted_for_may_be_named_by_e_mail(world: World, terminal: Terminal) -> None:
    person, service = world.user(), world.user(Role.ROLE_SERVICE)
    acting = ("whoami", "--act-as", person.user.email)
    assert terminal.run(*acting, "-o", "json").json["user"]["id"] == person.id
    assert terminal.run("whoami", "--act-as", "no@example.com").code == 3
    unnamed = terminal.run("whoami", "--act-as", "nobody")
    assert (unnamed.code, "'nobody' is no user" in unnamed.err) == (2, True)

    # Whoever may look for nobody has to know the id.
    refused = terminal.of(service).run(*acting)
    assert refused.code == 3
    assert "Next: write the id of the user to act for" in refused.err
    by_id = terminal.of(service).run("whoami", "--act-as", person.id, "-o", "json")
    assert by_id.json["user"]["id"] == person.id


def test_the_audit_log_is_listed_with_the_contracts_filters(
    world: World, terminal: Terminal
) -> None:
    person = world.user()
    for name in ("one", "two"):
        world.project(person, name=name)
    where = ("--caller", person.user.email, "--method", "CreateProject", "--outcome", "allowed")
    asked = ListAuditRecordsRequest(
        caller_id=person.id, method="symphony.v1.ProjectService/CreateProject"
    )
    answer = world.admin.get(world.admin.audits.ListAuditRecords, asked)
    listed = terminal.run("audit", "list", *where, "-o", "json", "--after", "1h").json
    assert listed == [contract_json(one) for one in answer.audit_records]
    lines = terminal.run("audit", "list", *where, "--limit", "1")
    assert answer.audit_records[0].decision_id in lines.out
    assert "There are more records" in lines.err
    assert max(map(len, lines.out.splitlines())) <= COLUMNS
    assert terminal.run("audit", "list", "--method", "Nothing").code == 2
    record = answer.audit_records[0]
    shown = terminal.run("audit", "get", record.id, "-o", "json").json
    got = world.admin.get(world.admin.audits.GetAuditRecord, GetAuditRecordRequest(id=record.id))
    assert shown == contract_json(got)
    assert "Code OK" in terminal.run("audit", "get", record.id).text


def test_tail_begins_with_the_last_records_and_goes_on_with_each_new_one(
    world: World, terminal: Terminal
) -> None:
    person = world.user()
    world.project(person, name="before")
    tail = ("audit", "tail", "--user", person.id, "-n", "1", "--interval", "0.1", "-o", "json")
    once = terminal.run(*tail, "--no-follow")
    assert [one["method"] for one in once.lines] == ["symphony.v1.ProjectService/CreateProject"]
    with terminal.running(*tail) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first == once.out
        for name in ("after", "and again"):
            world.project(person, name=name)
        sequences = [int(json.loads(process.stdout.readline())["sequence"]) for _ in range(2)]
    known = [one.sequence for one in world.audit(lambda one: one.user_id == person.id)]
    assert sequences == known[-2:]
