"""The tables and indexes that the calls touch, as the server has them, as SQLAlchemy says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Engine, Index, Integer, LargeBinary, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CONNECTIONS = 128


class Base(DeclarativeBase):
    """What the tables have in common."""

    type_annotation_map: ClassVar = {int: BigInteger, dict[str, Any]: JSON, bytes: LargeBinary}


class User(Base):
    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    tier: Mapped[int]
    roles: Mapped[int]
    workflows_owned: Mapped[int]


class Project(Base):
    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    name: Mapped[str]
    max_workflows: Mapped[int]
    workflow_count: Mapped[int]


class ProjectMember(Base):
    __tablename__ = "project_members"

    project_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[int]


class Token(Base):
    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    expire_time: Mapped[int]


class Workflow(Base):
    __tablename__ = "workflows"
    __table_args__ = (
        Index("workflows_name", "project_id", "name_key", unique=True),
        Index("workflows_project", "project_id", "create_time", "id"),
        Index("workflows_user", "user_id", "create_time", "id"),
        Index("workflows_time", "create_time", "id"),
        Index("workflows_key", "name_key", "id", unique=True),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str]
    user_id: Mapped[str]
    name_key: Mapped[str]
    spec: Mapped[dict[str, Any]]
    compute_units: Mapped[int]
    estimated_duration_us: Mapped[int]
    shared: Mapped[bool]
    status: Mapped[int]
    create_time: Mapped[int]
    update_time: Mapped[int]


class Change(Base):
    __tablename__ = "changes"
    __table_args__ = (Index("changes_project", "project_id", "revision"),)

    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[int]
    operation: Mapped[int]
    resource_id: Mapped[str]
    project_id: Mapped[str]
    time: Mapped[int]
    resource: Mapped[dict[str, Any]]


class AuditEntry(Base):
    __tablename__ = "audit_log"
    __table_args__ = (
        Index("audit_time", "time"),
        Index("audit_method", "method", "time"),
        Index("audit_user", "user_id", "time"),
        Index("audit_resource", "resource_id", "time"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[int]
    user_id: Mapped[str]
    resource_id: Mapped[str]
    method: Mapped[str]
    evaluation: Mapped[dict[str, Any]]


def open_database(path: Path) -> Engine:
    """The database, as durable as the server's: in the write-ahead log and synced before a commit
    returns.
    """
    # A request keeps its connection while it waits for a thread: as many as there are requests.
    engine = create_engine(f"sqlite:///{path}", pool_size=CONNECTIONS)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # The driver begins no transaction of its own accord: see "begin" below
        # (SQLAlchemy, "Enabling Non-Legacy SQLite Transactional Modes").
        connection.isolation_level = None
        for setting in (
            "journal_mode = wal",
            "synchronous = full",
            "foreign_keys = on",
            "busy_timeout = 5000",
            "cache_size = -16000",
        ):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    Base.metadata.create_all(engine)
    return engine
