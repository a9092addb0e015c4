"""What a database holds when all is over, against what the callers were told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.workflow_pb2 import WorkflowSpec
from symphony_server.store.database import parse_url
from symphony_server.store.session import Session
from symphony_server.store.sqlite_file import SqliteFile
from tests.e2e.processes import symphony
from tests.faults.writes import Told

_SHOWN: Final = 3
"""Of things that are wrong in the same way."""


@dataclass
class Kept:
    """What a database holds of one project, and its logs."""

    workflows: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Id → name, and whether it is shared."""
    changes: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Request id → revision and resource of each change that it made."""
    allowed: dict[str, list[AuditRecord]] = field(default_factory=dict)
    """Request id → records that it was allowed."""
    wrong: list[str] = field(default_factory=list)
    """What is wrong with the database by itself, in sentences."""


@dataclass(frozen=True)
class Verdict:
    """How what is kept stands to what was told."""

    lost: int
    duplicated: int
    audit_records: int
    """Of the writes that were acknowledged."""
    wrong: tuple[str, ...]
    """All that is wrong, in sentences; empty if everything is as it should be."""


def read_kept(database_url: str, project_id: str) -> Kept:
    """Read the database itself, past any server."""
    address = parse_url(database_url)
    kept = Kept()
    with closing(address.open(read_only=True)) as session:
        if isinstance(address, SqliteFile) and (
            found := session.execute("PRAGMA integrity_check").fetchall()
        ) != [("ok",)]:
            kept.wrong.append(f"the file is damaged: {found[:_SHOWN]}")
        for workflow_id, spec, shared, where in session.execute(
            "SELECT id, spec, shared, project_id FROM workflows"
        ).fetchall():
            if where == project_id:
                kept.workflows[workflow_id] = WorkflowSpec.FromString(spec).name, bool(shared)
        _read_logs(session, project_id, kept)
    return kept


def _read_logs(session: Session, project_id: str, kept: Kept) -> None:
    changes, allowed = defaultdict(list), defaultdict(list)
    revisions = []
    for revision, request_id, resource_id, where, kind in session.execute(
        "SELECT revision, request_id, resource_id, project_id, kind FROM changes ORDER BY revision"
    ).fetchall():
        revisions.append(revision)
        if where == project_id and kind == ResourceKind.RESOURCE_KIND_WORKFLOW:
            changes[request_id].append((revision, resource_id))
    if revisions != [*range(1, len(revisions) + 1)]:
        kept.wrong.append(f"{len(revisions)} revisions are not gapless up to {revisions[-1]}")
    for (row,) in session.execute("SELECT record FROM audit_log").fetchall():
        record = AuditRecord.FromString(row)
        if record.outcome == AuditOutcome.AUDIT_OUTCOME_ALLOWED:
            allowed[record.request_id].append(record)
    kept.changes, kept.allowed = dict(changes), dict(allowed)


def verify_audit(database_url: str, directory: Path) -> list[str]:
    """What `symphony audit verify` finds wrong; nothing is as it should be."""
    done = symphony("audit", "verify", "--database", database_url, cwd=directory)
    return [] if done.returncode == 0 else [f"symphony audit verify: {done.stdout}{done.stderr}"]


def judge(kept: Kept, acknowledged: Mapping[str, Told], failed: Iterable[str] = ()) -> Verdict:
    """Hold what is kept against the ledger, in which nothing is unknown any more."""
    wrong: list[tuple[str, str]] = []
    lost = {each for each in acknowledged if not kept.changes.get(each)}
    twice = {each for each, made in kept.changes.items() if len(made) > 1}
    standing = _standing(acknowledged)
    lost |= {last for each, last in standing.items() if each not in kept.workflows}
    wrong += (("acknowledged and lost", each) for each in lost)
    wrong += (("done more than once", each) for each in twice)
    wrong += (
        ("with more than one audit record", each)
        for each, records in kept.allowed.items()
        if each in kept.changes and len(records) > 1
    )
    for each in failed:
        if each in kept.changes or each in kept.allowed:
            wrong.append(("refused and there", each))
    wrong += (("never acknowledged and there", each) for each in kept.changes.keys() - acknowledged)
    audited = 0
    for each, told in acknowledged.items():
        records = kept.allowed.get(each, [])
        audited += len(records)
        if not records:
            wrong.append(("without an audit record", each))
        elif each in kept.changes and not _agree(told, kept.changes[each][0], records[0]):
            wrong.append(("told otherwise than it is kept", each))
    # An update shares a workflow, and nothing else does.
    left = {each: acknowledged[last].method == "UpdateWorkflow" for each, last in standing.items()}
    found = {each: shared for each, (_, shared) in kept.workflows.items()}
    wrong += (
        ("not as the last acknowledged write left it", workflow_id)
        for workflow_id in left.keys() | found.keys()
        if left.get(workflow_id) is not found.get(workflow_id)
    )
    names = Counter(name for name, _ in kept.workflows.values())
    twice |= {name for name, times in names.items() if times > 1}
    return Verdict(len(lost), len(twice), audited, (*kept.wrong, *_sentences(wrong)))


def _agree(told: Told, change: tuple[int, str], record: AuditRecord) -> bool:
    return (
        (told.revision, told.workflow_id) == change
        and (told.decision_id, told.revision) == (record.decision_id, record.revision)
        and record.resource_id == told.workflow_id
    )


def _standing(acknowledged: Mapping[str, Told]) -> dict[str, str]:
    """Workflow → request id of the last write to it, of those that are there."""
    standing: dict[str, str] = {}
    for request_id, told in sorted(acknowledged.items(), key=lambda item: item[1].revision):
        if told.method == "DeleteWorkflow":
            standing.pop(told.workflow_id, None)
        else:
            standing[told.workflow_id] = request_id
    return standing


def _sentences(wrong: Iterable[tuple[str, Any]]) -> list[str]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for kind, each in wrong:
        by_kind[kind].append(str(each))
    return [
        f"{len(found)} {kind}: {', '.join(sorted(found)[:_SHOWN])}"
        for kind, found in by_kind.items()
    ]
