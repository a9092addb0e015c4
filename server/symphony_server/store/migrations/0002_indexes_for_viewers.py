"""Indexes for who sees a part: a project's shared workflows, and one's own by name."""

from __future__ import annotations

from typing import Any

from peewee import BigIntegerField, BooleanField, Database, Model, SchemaManager, TextField


class Workflow(Model):
    id = TextField(primary_key=True)
    project_id = TextField()
    user_id = TextField()
    name_key = TextField()
    shared = BooleanField()
    create_time = BigIntegerField()

    class Meta:
        legacy_table_names = False
        table_name = "workflows"
        indexes = ((("user_id", "name_key", "id"), False),)


for _order in (Workflow.create_time, Workflow.name_key):
    Workflow.add_index(
        Workflow.project_id,
        _order,
        Workflow.id,
        name=f"workflows_shared_{_order.name}",
        where=Workflow.shared,
    )


def up(migrator: Any, database: Database) -> None:
    """Create them; the rest of the table stands."""
    SchemaManager(Workflow, database).create_indexes()
