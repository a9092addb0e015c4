"""The judge of what is kept finds whatever a server could have done wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symphony.v1.audit_pb2 import AuditRecord
from tests.faults.kept import Kept, judge
from tests.faults.writes import Told

CREATED = Told("CreateWorkflow", "workflow_1", 7, "audit_1")
UPDATED = Told("UpdateWorkflow", "workflow_1", 8, "audit_2")
DELETED = Told("DeleteWorkflow", "workflow_2", 9, "audit_3")
ACKNOWLEDGED = {"create": CREATED, "update": UPDATED, "delete": DELETED}


def as_told() -> Kept:
    return Kept(
        workflows={"workflow_1": ("first", True)},
        changes={name: [(told.revision, told.workflow_id)] for name, told in ACKNOWLEDGED.items()},
        allowed={
            name: [
                AuditRecord(
                    request_id=name,
                    resource_id=told.workflow_id,
                    decision_id=told.decision_id,
                    revision=told.revision,
                )
            ]
            for name, told in ACKNOWLEDGED.items()
        },
    )


def lose_a_change(kept: Kept) -> None:
    del kept.changes["update"]


def lose_the_workflow(kept: Kept) -> None:
    kept.workflows.clear()


def lose_a_create(kept: Kept) -> None:
    for left in ("create", "update"):
        del kept.changes[left]
    kept.workflows.clear()


def lose_a_record(kept: Kept) -> None:
    kept.allowed["delete"].clear()


def record_twice(kept: Kept) -> None:
    kept.allowed["create"] *= 2


def do_twice(kept: Kept) -> None:
    kept.changes["create"].append((10, "workflow_3"))


def make_twice(kept: Kept) -> None:
    kept.workflows["workflow_3"] = ("first", True)


def undo_the_update(kept: Kept) -> None:
    kept.workflows["workflow_1"] = ("first", False)


def undo_the_delete(kept: Kept) -> None:
    kept.workflows["workflow_2"] = ("second", False)


def do_what_was_refused(kept: Kept) -> None:
    kept.changes["refused"] = [(10, "workflow_1")]


def do_what_nobody_asked_for(kept: Kept) -> None:
    kept.changes["strange"] = [(10, "workflow_1")]


def tell_another_revision(kept: Kept) -> None:
    kept.changes["create"] = [(6, "workflow_1")]


def record_another_decision(kept: Kept) -> None:
    kept.allowed["create"][0].decision_id = "audit_9"


def leave_a_gap(kept: Kept) -> None:
    kept.wrong.append("revisions are not gapless")


WRONGS = [
    (lose_a_change, 1, 0),
    (lose_the_workflow, 1, 0),
    (lose_a_create, 2, 0),
    (lose_a_record, 0, 0),
    (record_twice, 0, 0),
    (do_twice, 0, 1),
    (make_twice, 0, 1),
    (undo_the_update, 0, 0),
    (undo_the_delete, 0, 0),
    (do_what_was_refused, 0, 0),
    (do_what_nobody_asked_for, 0, 0),
    (tell_another_revision, 0, 0),
    (record_another_decision, 0, 0),
    (leave_a_gap, 0, 0),
]


def test_what_is_kept_as_it_was_told_is_right() -> None:
    verdict = judge(as_told(), ACKNOWLEDGED, failed=["refused"])
    assert verdict.wrong == ()
    assert (verdict.lost, verdict.duplicated, verdict.audit_records) == (0, 0, 3)


@pytest.mark.parametrize(("wrong", "lost", "duplicated"), WRONGS)
def test_whatever_is_kept_otherwise_is_found(
    wrong: Callable[[Kept], None], lost: int, duplicated: int
) -> None:
    kept = as_told()
    wrong(kept)
    verdict = judge(kept, ACKNOWLEDGED, failed=["refused"])
    assert verdict.wrong
    assert (verdict.lost, verdict.duplicated) == (lost, duplicated)
