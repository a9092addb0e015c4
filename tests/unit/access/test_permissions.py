"""The permission table against an independent statement of access.md."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Role, Tier
from symphony_server.access.caller import Subject
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import PERMISSIONS, Facts

ME, OTHER = "user_me", "user_other"
ROLES = ("VIEWER", "DEVELOPER", "ADMIN", "AUDITOR", "SERVICE")
RELATIONS = ("", "VIEWER", "COLLABORATOR", "OWNER")

READS_PROJECT = ">=VIEWER ADMIN AUDITOR"
READS_WORKFLOW = "self >=OWNER shared ADMIN AUDITOR"
MAKER = {"ROLE_REQUIRED": "DEVELOPER ADMIN", "PROJECT_ACCESS_REQUIRED": ">=COLLABORATOR ADMIN"}

# permission: (who may know of the resource, {reason: who is not refused for it}); a word is a
# role, `self` for the owner, `starter` of the execution, a project relation as `>=RELATION`,
# `shared` for shared with any relation, `shared>=COLLABORATOR`, `owns` for any project.
EXPECTED: dict[str, tuple[str, dict[str, str]]] = {
    "users.create": ("*", {"ROLE_REQUIRED": "ADMIN"}),
    "users.list": ("*", {"ROLE_REQUIRED": "ADMIN AUDITOR"}),
    "users.read": ("self ADMIN AUDITOR", {}),
    "users.find": ("self ADMIN AUDITOR owns", {}),
    "users.update": ("self ADMIN AUDITOR", {"ROLE_REQUIRED": "self ADMIN"}),
    "users.administer": ("self ADMIN AUDITOR", {"ROLE_REQUIRED": "ADMIN"}),
    "users.delete": ("self ADMIN AUDITOR", {"ROLE_REQUIRED": "ADMIN"}),
    "projects.create": ("*", {"ROLE_REQUIRED": "DEVELOPER ADMIN"}),
    "projects.read": (READS_PROJECT, {}),
    "projects.update": (READS_PROJECT, {"OWNER_REQUIRED": ">=OWNER ADMIN"}),
    "projects.delete": (READS_PROJECT, {"OWNER_REQUIRED": ">=OWNER ADMIN"}),
    "projects.manage_members": (READS_PROJECT, {"OWNER_REQUIRED": ">=OWNER ADMIN"}),
    "projects.list": ("*", {}),
    "workflows.create": ("*", MAKER),
    "workflows.read": (READS_WORKFLOW, {}),
    "workflows.update": (READS_WORKFLOW, {"OWNER_REQUIRED": "self >=OWNER ADMIN"}),
    "workflows.delete": (READS_WORKFLOW, {"OWNER_REQUIRED": "self >=OWNER ADMIN"}),
    "workflows.list": ("*", {}),
    "executions.start": (
        READS_WORKFLOW,
        {"RESOURCE_ACCESS_REQUIRED": "self shared>=COLLABORATOR ADMIN"},
    ),
    "executions.read": (READS_WORKFLOW, {}),
    "executions.update": (READS_WORKFLOW, {"OWNER_REQUIRED": "starter self ADMIN"}),
    "executions.cancel": (READS_WORKFLOW, {"OWNER_REQUIRED": "starter self ADMIN"}),
    "executions.list": ("*", {}),
    "extensions.install": ("*", MAKER),
    "extensions.read": (READS_PROJECT, {}),
    "extensions.update": (READS_PROJECT, MAKER),
    "extensions.uninstall": (READS_PROJECT, MAKER),
    "extensions.list": ("*", {}),
    "transactions.execute": ("*", {}),
    "changes.watch": ("*", {}),
    "access.whoami": ("*", {}),
    "access.check": ("*", {"ROLE_REQUIRED": "self ADMIN AUDITOR"}),
    "access.explain": ("self ADMIN AUDITOR", {}),
    "tokens.create": ("*", {"ROLE_REQUIRED": "self ADMIN"}),
    "tokens.list": ("*", {"ROLE_REQUIRED": "self ADMIN"}),
    "tokens.revoke": ("self ADMIN", {}),
    "audit.read": ("*", {"ROLE_REQUIRED": "ADMIN AUDITOR"}),
}


@dataclass(frozen=True)
class Cell:
    """One user and one resource."""

    role: str
    relation: str = ""
    mine: bool = False
    shared: bool = False
    started: bool = False
    owns: bool = False

    def holds(self, words: str) -> bool:
        """The independent reading of a cell of the table."""
        true = {"*", self.role}
        true |= {"self"} if self.mine else set()
        true |= {"starter"} if self.started else set()
        true |= {"owns"} if self.owns else set()
        relations = RELATIONS[1 : RELATIONS.index(self.relation) + 1]
        true |= {f">={name}" for name in relations}
        if self.shared:
            true |= {"shared"} if relations else set()
            true |= {f"shared>={name}" for name in relations}
        return not true.isdisjoint(words.split())

    @property
    def question(self) -> tuple[Subject, Facts]:
        roles = frozenset({Role.Value(f"ROLE_{self.role}")})
        subject = Subject(ME, roles, Tier.TIER_FREE, suspended=False)
        facts = Facts(
            owner_id=ME if self.mine else OTHER,
            relation=ProjectRole.Value(f"PROJECT_ROLE_{self.relation or 'UNSPECIFIED'}"),
            shared=self.shared,
            started_by=ME if self.started else OTHER,
            owns_any_project=self.owns,
        )
        return subject, facts


BOTH = (True, False)
CELLS = [Cell(*values) for values in itertools.product(ROLES, RELATIONS, BOTH, BOTH, BOTH, BOTH)]


@pytest.mark.parametrize("permission", sorted(EXPECTED))
def test_every_cell_of_the_table_is_as_the_design_says(permission: str) -> None:
    knows, needed = EXPECTED[permission]
    for cell in CELLS:
        decision = decide(permission, *cell.question)
        hidden = not cell.holds(knows)
        lacking = [reason for reason, words in needed.items() if not cell.holds(words)]
        assert decision.hidden == hidden, cell
        if not hidden:
            assert [v.reason_name for v in decision.violations] == lacking, cell
        assert decision.allowed == (not hidden and not lacking), cell


def test_every_permission_is_stated_here_too() -> None:
    assert set(PERMISSIONS) == set(EXPECTED)


def test_what_is_absent_is_hidden_from_everybody() -> None:
    for permission, entry in PERMISSIONS.items():
        if entry.visible is not None:
            for role in ROLES:
                subject, _ = Cell(role, "OWNER", mine=True, shared=True).question
                assert decide(permission, subject, None).hidden


def test_a_decision_names_each_rule_that_was_asked() -> None:
    decision = decide("workflows.create", *Cell("VIEWER", "COLLABORATOR").question)
    assert [(a.rule, a.passed, a.reason) for a in decision.answers] == [
        ("role=DEVELOPER or role=ADMIN", False, "ROLE_REQUIRED"),
        ("project>=COLLABORATOR", True, ""),
    ]
