"""AuditService over the wire, verified with what the client has for it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.audit_pb2 import (
    AuditOutcome,
    AuditRecord,
    AuditTreeHead,
    ConsistencyProof,
    InclusionProof,
)
from symphony.v1.audit_service_pb2 import (
    GetAuditRecordRequest,
    GetAuditTreeHeadRequest,
    GetConsistencyProofRequest,
    GetInclusionProofRequest,
    ListAuditRecordsRequest,
    ListAuditRecordsResponse,
)
from symphony.v1.project_service_pb2 import DeleteProjectRequest
from symphony.v1.user_pb2 import Role
from symphony.v1.user_service_pb2 import DeleteUserRequest, ListUsersRequest
from symphony_client.audit import (
    NotProven,
    verify_consistency,
    verify_inclusion,
    verify_tree_head,
)
from symphony_server.access.authentication import Authenticator
from tests import engines
from tests.server.world import Person, World

ENGINES = engines.ALL

ABSENT = "audit_01jz0000000000000000000000"


def tree_head(person: Person) -> AuditTreeHead:
    head: AuditTreeHead = person.get(person.audits.GetAuditTreeHead, GetAuditTreeHeadRequest())
    return head


def inclusion(person: Person, record_id: str, size: int = 0) -> InclusionProof:
    request = GetInclusionProofRequest(id=record_id, tree_size=size)
    proof: InclusionProof = person.get(person.audits.GetInclusionProof, request)
    return proof


def consistency(person: Person, first: int, second: int = 0) -> ConsistencyProof:
    request = GetConsistencyProofRequest(first_size=first, second_size=second)
    proof: ConsistencyProof = person.get(person.audits.GetConsistencyProof, request)
    return proof


def page(person: Person, **query: Any) -> ListAuditRecordsResponse:
    answer: ListAuditRecordsResponse = person.get(
        person.audits.ListAuditRecords, ListAuditRecordsRequest(**query)
    )
    return answer


def listed(person: Person, **query: Any) -> list[int]:
    return [record.sequence for record in page(person, **query).audit_records]


def test_a_client_verifies_every_record_with_nothing_but_the_published_key(world: World) -> None:
    auditor = world.user(Role.ROLE_AUDITOR)
    public_key = tree_head(auditor).public_key
    for _ in range(6):
        world.user()
    head = tree_head(auditor)
    verify_tree_head(head, public_key)
    records = page(auditor, page_size=1000).audit_records
    assert head.tree_size == len(records) == len(world.audit())
    for record in records:
        verify_inclusion(head, inclusion(auditor, record.id, head.tree_size), record)
    altered = AuditRecord()
    altered.CopyFrom(records[0])
    altered.resource_id = "another"
    with pytest.raises(NotProven):
        verify_inclusion(head, inclusion(auditor, records[0].id, head.tree_size), altered)


def test_a_client_verifies_that_the_log_was_only_appended_to(world: World) -> None:
    heads = [tree_head(world.admin)]
    for _ in range(5):
        world.user()
        heads.append(tree_head(world.admin))
    for n, later in enumerate(heads):
        for earlier in heads[: n + 1]:
            proof = consistency(world.admin, earlier.tree_size, later.tree_size)
            verify_consistency(earlier, later, proof)
    with pytest.raises(NotProven):
        verify_consistency(heads[1], heads[3], consistency(world.admin, 1, heads[3].tree_size))


def test_a_proof_without_a_size_is_of_the_log_as_it_is_now(world: World) -> None:
    first = world.audit()[0]
    head = tree_head(world.admin)
    proof = inclusion(world.admin, first.id)
    assert proof.tree_size == head.tree_size
    verify_inclusion(head, proof, first)
    assert consistency(world.admin, 1).second_size == head.tree_size


def test_the_key_outlives_the_server(world: World) -> None:
    before = tree_head(world.admin)
    with World(world.directory, world.database_url) as again:
        again.admin = Person(again.open_channel(), (world.directory / "token").read_text().strip())
        after = tree_head(again.admin)
    assert after.public_key == before.public_key
    assert (after.tree_size, after.root_hash) == (before.tree_size, before.root_hash)


def test_a_tree_that_is_not_there_yet_is_not_found(world: World) -> None:
    admin, size = world.admin, tree_head(world.admin).tree_size
    record = world.audit()[-1]
    for method, request in (
        (
            admin.audits.GetInclusionProof,
            GetInclusionProofRequest(id=record.id, tree_size=size + 90),
        ),
        (
            admin.audits.GetConsistencyProof,
            GetConsistencyProofRequest(first_size=1, second_size=size + 90),
        ),
        (admin.audits.GetConsistencyProof, GetConsistencyProofRequest(first_size=size + 90)),
        # The record came after that tree.
        (
            admin.audits.GetInclusionProof,
            GetInclusionProofRequest(id=record.id, tree_size=record.sequence - 1),
        ),
        (admin.audits.GetInclusionProof, GetInclusionProofRequest(id=ABSENT)),
        (admin.audits.GetAuditRecord, GetAuditRecordRequest(id=ABSENT)),
    ):
        refusal = admin.refused(method, request)
        assert (refusal.code, refusal.reason) == (
            grpc.StatusCode.NOT_FOUND,
            "RESOURCE_NOT_FOUND",
        )
        assert refusal.details["ResourceInfo"].resource_type in ("audit record", "audit tree")


def test_a_log_does_not_shrink(world: World) -> None:
    admin = world.admin
    world.user()
    refusal = admin.refused(
        admin.audits.GetConsistencyProof, GetConsistencyProofRequest(first_size=3, second_size=2)
    )
    assert refusal.reason == "FIELD_INVALID"
    assert set(refusal.fields) == {"first_size"}


def test_a_record_is_got_as_it_was_written(world: World) -> None:
    record = world.audit()[-1]
    request = GetAuditRecordRequest(id=record.id)
    assert world.admin.get(world.admin.audits.GetAuditRecord, request) == record


@pytest.mark.parametrize("role", [Role.ROLE_VIEWER, Role.ROLE_DEVELOPER, Role.ROLE_SERVICE])
def test_only_admins_and_auditors_read_the_log(world: World, role: Role.ValueType) -> None:
    record = world.audit()[0]
    for person, may in ((world.user(role), False), (world.user(Role.ROLE_AUDITOR), True)):
        audits = person.audits
        for method, request in (
            (audits.ListAuditRecords, ListAuditRecordsRequest()),
            (audits.GetAuditRecord, GetAuditRecordRequest(id=record.id)),
            (audits.GetAuditRecord, GetAuditRecordRequest(id=ABSENT)),
            (audits.GetAuditTreeHead, GetAuditTreeHeadRequest()),
            (audits.GetInclusionProof, GetInclusionProofRequest(id=record.id)),
            (audits.GetConsistencyProof, GetConsistencyProofRequest(first_size=1)),
        ):
            if may and getattr(request, "id", "") != ABSENT:
                person.get(method, request)
            elif not may:
                refusal = person.refused(method, request)
                assert refusal.reason == "ROLE_REQUIRED"
                assert refusal.metadata["roles"] == "ADMIN,AUDITOR"


def test_records_are_listed_newest_first_in_pages(world: World) -> None:
    for _ in range(3):
        world.user()
    admin = world.admin
    sequences = [record.sequence for record in world.audit()]
    assert listed(admin) == sequences[::-1]
    for order, expected in (("time", sequences), ("time desc", sequences[::-1])):
        found: list[int] = []
        token = ""
        while True:
            answer = page(admin, order_by=order, page_size=3, page_token=token)
            found += [record.sequence for record in answer.audit_records]
            token = answer.next_page_token
            if not token:
                break
        assert found == expected
    token = page(admin, page_size=3).next_page_token
    request = ListAuditRecordsRequest(page_size=3, page_token=token, method="x")
    refusal = admin.refused(admin.audits.ListAuditRecords, request)
    assert refusal.reason == "PAGE_TOKEN_INVALID"


NOTHING: list[dict[str, Any]] = [{"outcome": AuditOutcome.AUDIT_OUTCOME_FAILED}]


def test_each_filter_leaves_the_records_that_meet_it(world: World) -> None:
    admin = world.admin
    owner, service = world.user(), world.user(Role.ROLE_SERVICE)
    project = world.project(owner)
    for_owner = Person(service.channel, service.secret, act_as=owner.id)
    acted = world.project(for_owner)
    owner.refused(owner.users.ListUsers, ListUsersRequest())
    for_owner.get(for_owner.projects.DeleteProject, DeleteProjectRequest(id=acted.id))
    admin.get(admin.projects.DeleteProject, DeleteProjectRequest(id=project.id, validate_only=True))
    records = world.audit()
    middle = records[len(records) // 2]

    def those(**fields: Any) -> list[int]:
        return [
            record.sequence
            for record in reversed(records)
            if all(getattr(record, name) == value for name, value in fields.items())
        ]

    for fields in (
        {"caller_id": owner.id},
        {"caller_id": service.id},
        {"caller_id": admin.id},
        {"user_id": owner.id},
        {"caller_id": service.id, "user_id": owner.id},
        {"resource_id": project.id},
        {"resource_id": acted.id, "caller_id": service.id},
        {"method": "symphony.v1.ProjectService/CreateProject"},
        {"method": "symphony.v1.ProjectService/CreateProject", "user_id": owner.id},
        {"reason": "ROLE_REQUIRED"},
        {"outcome": AuditOutcome.AUDIT_OUTCOME_ALLOWED},
        {"outcome": AuditOutcome.AUDIT_OUTCOME_DENIED},
        {"outcome": AuditOutcome.AUDIT_OUTCOME_VALIDATED},
        {"outcome": AuditOutcome.AUDIT_OUTCOME_FAILED},
        {"outcome": AuditOutcome.AUDIT_OUTCOME_ALLOWED, "caller_id": service.id},
        {"outcome": AuditOutcome.AUDIT_OUTCOME_DENIED, "caller_id": owner.id},
    ):
        expected = those(**fields)
        assert listed(admin, **fields) == expected, fields
        assert expected or fields in NOTHING, fields
    times = [(record.time.ToNanoseconds(), record.sequence) for record in reversed(records)]
    at = middle.time.ToNanoseconds()
    assert listed(admin, time_after=middle.time) == [n for time, n in times if time >= at]
    assert listed(admin, time_before=middle.time) == [n for time, n in times if time < at]
    assert listed(admin, time_after=Timestamp(seconds=253402300799)) == []


def test_a_list_pages_through_what_was_done_for_others_too(world: World) -> None:
    owner, service = world.user(), world.user(Role.ROLE_ADMIN)
    for n in range(3):
        world.project(service, name=f"own {n}")
        world.project(Person(service.channel, service.secret, act_as=owner.id), name=f"for {n}")
    expected = [r.sequence for r in world.audit(lambda r: r.caller_id == service.id)]
    assert len(expected) == 6
    found: list[int] = []
    token = ""
    for _ in range(3):
        answer = page(
            world.admin, caller_id=service.id, order_by="time", page_size=2, page_token=token
        )
        found += [record.sequence for record in answer.audit_records]
        token = answer.next_page_token
    assert (found, token) == (expected, "")


def test_a_fault_after_a_write_was_made_has_a_record_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world.user()

    def fail(_: Authenticator) -> None:
        raise RuntimeError("too late")

    admin = world.admin
    with monkeypatch.context() as patched:
        patched.setattr(Authenticator, "forget", fail)
        refusal = admin.refused(admin.users.DeleteUser, DeleteUserRequest(id=person.id))
    assert refusal.reason == "INTERNAL"
    written, failed = world.audit(lambda r: r.method.endswith("/DeleteUser"))
    assert written.outcome == AuditOutcome.AUDIT_OUTCOME_ALLOWED
    assert failed.outcome == AuditOutcome.AUDIT_OUTCOME_FAILED
    assert refusal.trailing["x-symphony-decision-id"] == failed.id != written.id
