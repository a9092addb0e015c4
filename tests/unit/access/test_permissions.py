"""The permission table against an independent statement of access.md."""

from __future__ import annotations

import itertools

import pytest

from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.user_pb2 import Role, Tier
from symphony_server.access.caller import Subject
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import PERMISSIONS, Facts

ME, OTHER = "user_me", "user_other"
ROLES = ("VIEWER", "DEVELOPER", "ADMIN", "AUDITOR", "SERVICE")
RELATIONS = ("", "VIEWER", "COLLABORATOR", "OWNER")

# permission: (who may, who may know of the resource); a word is a role, `self`, a project
# relation as `>=RELATION`, `shared` for shared with any relation, `owns` for any project.
EXPECTED = {
    "users.create": ("ADMIN", "*"),
    "users.list": ("ADMIN AUDITOR", "*"),
    "users.read": ("self ADMIN AUDITOR", "self ADMIN AUDITOR"),
    "users.find": ("self ADMIN AUDITOR owns", "self ADMIN AUDITOR owns"),
    "users.update": ("self ADMIN", "self ADMIN AUDITOR"),
    "users.administer": ("ADMIN", "self ADMIN AUDITOR"),
    "users.delete": ("ADMIN", "self ADMIN AUDITOR"),
    "projects.create": ("DEVELOPER ADMIN", "*"),
    "projects.read": (">=VIEWER ADMIN AUDITOR", ">=VIEWER ADMIN AUDITOR"),
    "projects.update": (">=OWNER ADMIN", ">=VIEWER ADMIN AUDITOR"),
    "projects.delete": (">=OWNER ADMIN", ">=VIEWER ADMIN AUDITOR"),
    "projects.manage_members": (">=OWNER ADMIN", ">=VIEWER ADMIN AUDITOR"),
    "projects.list": ("*", "*"),
    "workflows.read": (
        "self >=OWNER shared ADMIN AUDITOR",
        "self >=OWNER shared ADMIN AUDITOR",
    ),
    "workflows.update": ("self >=OWNER ADMIN", "self >=OWNER shared ADMIN AUDITOR"),
    "workflows.delete": ("self >=OWNER ADMIN", "self >=OWNER shared ADMIN AUDITOR"),
    "workflows.list": ("*", "*"),
    "tokens.create": ("self ADMIN", "*"),
    "tokens.list": ("self ADMIN", "*"),
    "tokens.revoke": ("self ADMIN", "self ADMIN"),
    "access.whoami": ("*", "*"),
}


def holds(words: str, role: str, relation: str, mine: bool, shared: bool, owns: bool) -> bool:
    true = {"*", role}
    true |= {"self"} if mine else set()
    true |= {"owns"} if owns else set()
    true |= {"shared"} if shared and relation else set()
    true |= {f">={name}" for name in RELATIONS[1 : RELATIONS.index(relation) + 1]}
    return not true.isdisjoint(words.split())


def cell(role: str, relation: str, mine: bool, shared: bool, owns: bool) -> tuple[Subject, Facts]:
    subject = Subject(ME, frozenset({Role.Value(f"ROLE_{role}")}), Tier.TIER_FREE, suspended=False)
    facts = Facts(
        owner_id=ME if mine else OTHER,
        relation=ProjectRole.Value(f"PROJECT_ROLE_{relation or 'UNSPECIFIED'}"),
        shared=shared,
        owns_any_project=owns,
    )
    return subject, facts


CELLS = list(itertools.product(ROLES, RELATIONS, (True, False), (True, False), (True, False)))


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_every_cell_of_the_table_is_as_the_design_says(permission: str) -> None:
    if permission == "workflows.create":
        return  # two requirements at once: the next test
    may, knows = EXPECTED[permission]
    for role, relation, mine, shared, owns in CELLS:
        decision = decide(permission, *cell(role, relation, mine, shared, owns))
        where = (permission, role, relation, mine, shared, owns)
        assert decision.allowed == holds(may, role, relation, mine, shared, owns), where
        assert decision.hidden == (not holds(knows, role, relation, mine, shared, owns)), where


def test_creating_a_workflow_needs_a_role_and_a_relation_and_tells_both() -> None:
    for role, relation, mine, shared, owns in CELLS:
        decision = decide("workflows.create", *cell(role, relation, mine, shared, owns))
        lacking = {violation.reason_name for violation in decision.violations}
        expected = set()
        if role not in ("DEVELOPER", "ADMIN"):
            expected.add("ROLE_REQUIRED")
        if role != "ADMIN" and relation not in ("COLLABORATOR", "OWNER"):
            expected.add("PROJECT_ACCESS_REQUIRED")
        assert lacking == expected
        assert not decision.hidden


def test_every_permission_is_stated_here_too() -> None:
    assert set(PERMISSIONS) == {*EXPECTED, "workflows.create"}


def test_what_is_absent_is_hidden_from_everybody() -> None:
    for permission, entry in PERMISSIONS.items():
        if entry.visible is not None:
            for role in ROLES:
                subject, _ = cell(role, "OWNER", True, True, True)
                assert decide(permission, subject, None).hidden


def test_a_decision_names_each_rule_that_was_asked() -> None:
    subject, facts = cell("VIEWER", "COLLABORATOR", False, False, False)
    decision = decide("workflows.create", subject, facts)
    assert [(a.rule, a.passed, a.reason) for a in decision.answers] == [
        ("role=DEVELOPER or role=ADMIN", False, "ROLE_REQUIRED"),
        ("project>=COLLABORATOR", True, ""),
    ]
