"""The first schema. A frozen copy: what `tables.py` becomes later is other migrations' matter."""

from __future__ import annotations

from typing import Any

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    Database,
    Model,
    SmallIntegerField,
    TextField,
)


class Table(Model):
    class Meta:
        legacy_table_names = False


class User(Table):
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
            (("create_time", "id"), False),
            (("name_key", "id"), True),
        )


ARCHIVED = Workflow.status == 2
Workflow.add_index(
    Workflow.create_time, Workflow.id, name="workflows_archived_create_time", where=ARCHIVED
)
Workflow.add_index(
    Workflow.name_key, Workflow.id, name="workflows_archived_name_key", where=ARCHIVED
)


class Execution(Table):
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
    extension_id = TextField()
    workflow_id = TextField()

    class Meta:
        table_name = "extension_uses"
        primary_key = CompositeKey("extension_id", "workflow_id")
        indexes = ((("workflow_id", "extension_id"), True),)


class Token(Table):
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
    position = BigIntegerField(primary_key=True)
    hash = BlobField()

    class Meta:
        table_name = "audit_nodes"


class ChangeEntry(Table):
    revision = BigIntegerField(primary_key=True)
    kind = SmallIntegerField()
    operation = SmallIntegerField()
    resource_id = TextField()
    project_id = TextField()
    request_id = TextField()
    time = BigIntegerField()
    resource = BlobField()
    owner_id = TextField()
    before = SmallIntegerField()
    after = SmallIntegerField()
    parent_id = TextField()

    class Meta:
        table_name = "changes"
        indexes = ((("project_id", "revision"), False),)


ChangeEntry.add_index(
    ChangeEntry.index(
        ChangeEntry.owner_id,
        ChangeEntry.revision,
        where=ChangeEntry.kind.in_((1, 3)),
        name="changes_of_rights",
    )
)


class ServerKey(Table):
    name = TextField(primary_key=True)
    secret = BlobField()

    class Meta:
        table_name = "server_keys"


def up(migrator: Any, database: Database) -> None:
    """Create every table."""
    tables = (
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
    with database.bind_ctx(tables):
        database.create_tables(tables)
