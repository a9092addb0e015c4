"""Tells whether a user may do some things, without doing them."""

from __future__ import annotations

from symphony.v1.access_pb2 import AccessDecision
from symphony.v1.access_service_pb2 import (
    AccessCheck,
    CheckAccessRequest,
    CheckAccessResponse,
)
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.access.caller import Subject
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import PERMISSIONS, Facts
from symphony_server.refusal import Violation, not_found
from symphony_server.rules import tiers
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.facts import facts_of

_PARENTS = {"workflows.create": "project", "extensions.install": "project"}
"""What a create is to belong to; of the other permissions it is the resource itself."""


def check_access(
    snapshot: Snapshot, call: Call, request: CheckAccessRequest
) -> CheckAccessResponse:
    """A decision and its reason for each question."""
    judgement = call.judgement
    user_id = request.user_id or call.caller.user.id
    call.resource_id = user_id
    judgement.decided(decide("access.check", call.caller.user, Facts(owner_id=user_id)))
    for index, check in enumerate(request.checks):
        judgement.ask("check.known", _unknown(check, f"checks[{index}]"))
    judgement.conclude()

    user = snapshot.users.get(user_id)
    if user is None:
        judgement.stop("user.exists", not_found("user", user_id, field="user_id"))
    subject = Subject.of(user)
    return CheckAccessResponse(
        decisions=[_decide(snapshot, call, subject, check) for check in request.checks]
    )


def _decide(snapshot: Snapshot, call: Call, subject: Subject, check: AccessCheck) -> AccessDecision:
    facts = facts_of(snapshot, check.resource_id, subject.id) if check.resource_id else None
    decision = decide(check.permission, subject, facts)
    violations = list(decision.violations)
    if subject.suspended:
        violations.insert(
            0,
            Violation(ErrorReason.ERROR_REASON_USER_SUSPENDED, "the user is suspended"),
        )
    elif decision.hidden:
        kind = check.resource_id.partition("_")[0] or "resource"
        violations.append(not_found(kind, check.resource_id))
    elif not violations and check.permission in _PARENTS and facts is None:
        violations.append(not_found("project", check.resource_id))
    elif not violations:
        limit = _over_limit(snapshot, call, subject, check)
        violations += [limit] if limit is not None else []
    return AccessDecision(
        permission=check.permission,
        resource_id=check.resource_id,
        allowed=not violations,
        reason=violations[0].reason_name if violations else "",
        description="; ".join(violation.description for violation in violations),
    )


def _over_limit(
    snapshot: Snapshot, call: Call, subject: Subject, check: AccessCheck
) -> Violation | None:
    """The violation of the tier's limit that a create would meet now."""
    limits = call.deployment.tiers
    if check.permission == "workflows.create":
        owned = snapshot.users.workflows_owned(subject.id)
        return tiers.workflow_limit(limits, subject.tier, owned, subject=f"user:{subject.id}")
    if check.permission == "extensions.install":
        installed = len(snapshot.extensions.installed(check.resource_id))
        return tiers.extension_limit(
            limits, subject.tier, installed, subject=f"project:{check.resource_id}"
        )
    return None


def _unknown(check: AccessCheck, field: str) -> Violation | None:
    """The violation of a question that makes no sense."""
    entry = PERMISSIONS.get(check.permission)
    if entry is None:
        known = ", ".join(sorted(PERMISSIONS))
        return _invalid(f"is not a permission; there are {known}", f"{field}.permission")
    kind = check.resource_id.partition("_")[0]
    expected = _PARENTS.get(check.permission)
    if expected is None and entry.visible is not None:
        expected = check.permission.partition(".")[0].removesuffix("s")
        if check.permission == "executions.start":
            expected = "workflow"
    if expected is not None and kind != expected:
        return _invalid(
            f"{check.permission} is about a {expected}: give the id of one",
            f"{field}.resource_id",
        )
    return None


def _invalid(description: str, field: str) -> Violation:
    return Violation(ErrorReason.ERROR_REASON_FIELD_INVALID, description, field=field)
