"""The schema: one Peewee model a table.

Times are microseconds since 1970, durations microseconds, enums the contract's numbers.
Each filter and order of a list has its index, and `tests/contract/store/test_query_plans.py`
holds them to it. Of two that serve a query alike SQLite takes the one made last, so the most
selective stand last.
A changed model needs a migration in `migrations/`; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    Model,
    Proxy,
    SmallIntegerField,
    TextField,
)

from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.workflow_pb2 import WorkflowStatus

UNBOUND = Proxy()
"""The models are never queried through a bound database: statements are compiled for one
(see `statements.py`), so that no global connection exists."""


class Table(Model):
    """What the tables have in common: names as written here, nothing else."""

    class Meta:
        database = UNBOUND
        legacy_table_names = False


class User(Table):
    """A user. `workflows_owned` is kept in step with the workflows, so that a limit costs O(1)."""

    id = TextField(primary_key=True)
    email = TextField()
    email_key = TextField(unique=True)
    name = TextField()
    name_key = TextField()
    tier = SmallIntegerField()
    roles = SmallIntegerField()
    state = SmallIntegerField()
    workflows_owned = BigIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()

    class Meta:
        table_name = "users"
        indexes = (
            (("create_time", "id"), True),
            (("name_key", "id"), True),
            (("tier", "create_time", "id"), False),
            (("tier", "name_key", "id"), False),
            (("state", "create_time", "id"), False),
            (("state", "name_key", "id"), False),
        )


class Project(Table):
    """A project. `workflow_count` is kept in step with its workflows."""

    id = TextField(primary_key=True)
    owner_id = TextField()
    name = TextField()
    name_key = TextField()
    description = TextField()
    constraints = BlobField()
    workflow_count = BigIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()

    class Meta:
        table_name = "projects"
        indexes = (
            (("owner_id", "create_time", "id"), False),
            (("owner_id", "name_key", "id"), True),
            (("create_time", "id"), True),
            (("name_key", "id"), True),
        )


class ProjectMember(Table):
    """A user's relation to a project."""

    project_id = TextField()
    user_id = TextField()
    role = SmallIntegerField()
    create_time = BigIntegerField()

    class Meta:
        table_name = "project_members"
        primary_key = CompositeKey("project_id", "user_id")
        indexes = (
            (("user_id", "project_id", "role"), True),
            (("project_id", "create_time", "user_id"), True),
        )


class Workflow(Table):
    """A workflow: its spec as protobuf bytes, what queries need in columns."""

    id = TextField(primary_key=True)
    project_id = TextField()
    user_id = TextField()
    name_key = TextField()
    spec = BlobField()
    compute_units = BigIntegerField()
    estimated_duration = BigIntegerField()
    shared = BooleanField()
    status = SmallIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()

    class Meta:
        table_name = "workflows"
        indexes = (
            (("project_id", "name_key"), True),
            (("project_id", "create_time", "id"), False),
            (("user_id", "create_time", "id"), False),
            (("user_id", "name_key", "id"), False),
            (("create_time", "id"), False),
            (("name_key", "id"), True),
        )


# What is archived is rare, and an index of it alone costs a new workflow nothing.
_ARCHIVED = Workflow.status == WorkflowStatus.WORKFLOW_STATUS_ARCHIVED
Workflow.add_index(
    Workflow.create_time, Workflow.id, name="workflows_archived_create_time", where=_ARCHIVED
)
Workflow.add_index(
    Workflow.name_key, Workflow.id, name="workflows_archived_name_key", where=_ARCHIVED
)
# What of a project its members see may be little of it.
for _order in (Workflow.create_time, Workflow.name_key):
    Workflow.add_index(
        Workflow.project_id,
        _order,
        Workflow.id,
        name=f"workflows_shared_{_order.name}",
        where=Workflow.shared,
    )


class Execution(Table):
    """A run of a workflow; `project_id` is the workflow's, for lists and visibility."""

    id = TextField(primary_key=True)
    workflow_id = TextField()
    project_id = TextField()
    user_id = TextField()
    state = SmallIntegerField()
    steps = BlobField()
    error = TextField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()
    start_time = BigIntegerField()
    end_time = BigIntegerField()

    class Meta:
        table_name = "executions"
        indexes = (
            (("create_time", "id"), False),
            (("state", "create_time", "id"), False),
            (("user_id", "create_time", "id"), False),
            (("project_id", "create_time", "id"), False),
            (("workflow_id", "create_time", "id"), False),
            (("workflow_id", "state"), False),
        )


class Extension(Table):
    """An installed extension: its manifest as it was sent, what queries need in columns."""

    id = TextField(primary_key=True)
    project_id = TextField()
    installed_by = TextField()
    name = TextField()
    version = TextField()
    type = SmallIntegerField()
    publisher = TextField()
    permissions = TextField()
    entry_point = TextField()
    manifest = TextField()
    manifest_format = SmallIntegerField()
    scan = BlobField()
    state = SmallIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()

    class Meta:
        table_name = "extensions"
        indexes = (
            (("create_time", "id"), False),
            (("name", "id"), False),
            (("state", "create_time", "id"), False),
            (("state", "name", "id"), False),
            (("type", "create_time", "id"), False),
            (("type", "name", "id"), False),
            (("project_id", "create_time", "id"), False),
            (("project_id", "name"), True),
        )


class ExtensionUse(Table):
    """That a workflow's steps use an extension, so that neither goes without the other."""

    extension_id = TextField()
    workflow_id = TextField()

    class Meta:
        table_name = "extension_uses"
        primary_key = CompositeKey("extension_id", "workflow_id")
        indexes = ((("workflow_id", "extension_id"), True),)


class Token(Table):
    """An access token; only the SHA-256 of its secret is kept. A revoked token is gone."""

    id = TextField(primary_key=True)
    user_id = TextField()
    name = TextField()
    secret_hash = BlobField(unique=True)
    scopes = TextField()
    create_time = BigIntegerField()
    expire_time = BigIntegerField()
    last_used_time = BigIntegerField()

    class Meta:
        table_name = "tokens"
        indexes = ((("user_id", "create_time", "id"), True),)


class RequestRecord(Table):
    """The first answer to a `request_id`, given again to a retry for 24 hours."""

    caller_id = TextField()
    request_id = TextField()
    fingerprint = BlobField()
    answer = BlobField()
    decision_id = TextField()
    revision = BigIntegerField()
    create_time = BigIntegerField()

    class Meta:
        table_name = "request_ids"
        primary_key = CompositeKey("caller_id", "request_id")
        indexes = ((("create_time",), False),)


class AuditEntry(Table):
    """One decision: the record's canonical bytes, and in columns what it is found by.

    Most decisions allow, have no reason, and are of a user who calls for itself. `outcome`,
    `reason` and `caller_id` are NULL then, and their indexes leave such rows out: an index
    costs a write 3 to 10 µs.
    """

    sequence = BigIntegerField(primary_key=True)
    id = TextField(unique=True)
    record = BlobField()
    time = BigIntegerField()
    caller_id = TextField(null=True)
    user_id = TextField()
    resource_id = TextField()
    method = TextField()
    outcome = SmallIntegerField(null=True)
    reason = TextField(null=True)

    class Meta:
        table_name = "audit_log"
        indexes = (
            (("time",), False),
            (("method", "time"), False),
            (("user_id", "time"), False),
            (("resource_id", "time"), False),
        )


for _column in (AuditEntry.caller_id, AuditEntry.outcome, AuditEntry.reason):
    AuditEntry.add_index(_column, AuditEntry.time, where=_column.is_null(False))


class AuditNode(Table):
    """The hash of a complete subtree of the audit log's Merkle tree, in the order in which they
    become complete: `merkle.position` tells which is where.
    """

    position = BigIntegerField(primary_key=True)
    hash = BlobField()

    class Meta:
        table_name = "audit_nodes"


class ChangeEntry(Table):
    """One change, in commit order: the outbox that the change feed reads."""

    revision = BigIntegerField(primary_key=True)
    kind = SmallIntegerField()
    operation = SmallIntegerField()
    resource_id = TextField()
    project_id = TextField()
    request_id = TextField()
    time = BigIntegerField()
    resource = BlobField()
    owner_id = TextField()
    """Whose it is: of a workflow or an execution the workflow's owner, of a member or a user
    that user; empty otherwise."""
    before = SmallIntegerField()
    """How it stood before: of a workflow or an execution 1 if the workflow was shared, of a
    member its role, of a user 1 if it saw everything; 0 otherwise."""
    after = SmallIntegerField()
    """How it stands after, likewise."""
    parent_id = TextField()
    """Of an execution its workflow; empty otherwise."""

    class Meta:
        table_name = "changes"
        indexes = ((("project_id", "revision"), False),)


# What changed a user's rights; they are few among many changes.
ChangeEntry.add_index(
    ChangeEntry.index(
        ChangeEntry.owner_id,
        ChangeEntry.revision,
        where=ChangeEntry.kind.in_(
            (ResourceKind.RESOURCE_KIND_USER, ResourceKind.RESOURCE_KIND_PROJECT_MEMBER)
        ),
        name="changes_of_rights",
    )
)


class ServerKey(Table):
    """A secret that all servers on this database share, for example to sign page tokens."""

    name = TextField(primary_key=True)
    secret = BlobField()

    class Meta:
        table_name = "server_keys"


TABLES: tuple[type[Any], ...] = (
    User,
    Project,
    ProjectMember,
    Workflow,
    Execution,
    Extension,
    ExtensionUse,
    Token,
    RequestRecord,
    AuditEntry,
    AuditNode,
    ChangeEntry,
    ServerKey,
)
