"""The words that options take for the contract's enumerations; a test holds them to it."""

from __future__ import annotations

from enum import StrEnum


class TierWord(StrEnum):
    """A `Tier`."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class RoleWord(StrEnum):
    """A `Role`."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    ADMIN = "admin"
    AUDITOR = "auditor"
    SERVICE = "service"


class UserStateWord(StrEnum):
    """A `UserState`."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class ProjectRoleWord(StrEnum):
    """A `ProjectRole`."""

    VIEWER = "viewer"
    COLLABORATOR = "collaborator"
    OWNER = "owner"


class WorkflowStatusWord(StrEnum):
    """A `WorkflowStatus`."""

    CREATED = "created"
    ARCHIVED = "archived"


class ExecutionStateWord(StrEnum):
    """An `ExecutionState`."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ExtensionTypeWord(StrEnum):
    """An `ExtensionType`."""

    INSTRUMENT = "instrument"
    OPERATOR = "operator"
    MOTIF = "motif"


class ExtensionStateWord(StrEnum):
    """An `ExtensionState`."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class KindWord(StrEnum):
    """A `ResourceKind`."""

    USER = "user"
    PROJECT = "project"
    PROJECT_MEMBER = "project-member"
    WORKFLOW = "workflow"
    EXECUTION = "execution"
    EXTENSION = "extension"


class OutcomeWord(StrEnum):
    """An `AuditOutcome`."""

    ALLOWED = "allowed"
    DENIED = "denied"
    VALIDATED = "validated"
    FAILED = "failed"


class OrderWord(StrEnum):
    """In which order a list comes."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"

    @property
    def order_by(self) -> str:
        """As the contract writes it."""
        return {"newest": "create_time desc", "oldest": "create_time", "name": "name"}[self]


class TimeOrderWord(StrEnum):
    """In which order a list comes that is not ordered by name."""

    NEWEST = "newest"
    OLDEST = "oldest"

    @property
    def order_by(self) -> str:
        """As the contract writes it."""
        return OrderWord(self.value).order_by
