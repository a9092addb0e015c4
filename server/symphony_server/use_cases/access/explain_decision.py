"""Tells how a recorded decision came about."""

from __future__ import annotations

from functools import partial

from symphony.v1.access_pb2 import DecisionExplanation, RuleEvaluation
from symphony.v1.access_service_pb2 import ExplainDecisionRequest
from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony_server.access.decisions import Answer, decide
from symphony_server.access.permissions import Facts
from symphony_server.access.remedies import REMEDIES
from symphony_server.refusal import not_found
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.recording import read_evaluation


def explain_decision(
    snapshot: Snapshot, call: Call, request: ExplainDecisionRequest
) -> DecisionExplanation:
    """Each rule that was asked, its answer, and what would have to change."""
    decision_id = call.resource_id = request.decision_id
    record = snapshot.audit.get(decision_id)
    facts = None if record is None else Facts(owner_id=record.user_id)
    record = call.judgement.existing(
        decide("access.explain", call.caller.user, facts),
        record,
        partial(not_found, "decision", decision_id, field="decision_id"),
    )
    explanation = DecisionExplanation(
        decision_id=record.decision_id,
        method=record.method,
        caller_id=record.caller_id,
        user_id=record.user_id,
        resource_id=record.resource_id,
        allowed=record.outcome
        in (AuditOutcome.AUDIT_OUTCOME_ALLOWED, AuditOutcome.AUDIT_OUTCOME_VALIDATED),
        time=record.time,
    )
    answers = _answers(record)
    if record.user_id == call.caller.user.id:
        answers = [_without_what_is_hidden(answer) for answer in answers]
    explanation.rules.extend(_rule(answer) for answer in answers)
    return explanation


def _without_what_is_hidden(answer: Answer) -> Answer:
    """The answer in the same words whether a resource is not there or is hidden."""
    if answer.reason != "RESOURCE_NOT_FOUND":
        return answer
    return Answer("exists for you", passed=False, reason=answer.reason)


def _answers(record: AuditRecord) -> list[Answer]:
    """The rules asked, and the refusals that came before any rule was: a missing credential,
    a broken rule of the contract.
    """
    answers = read_evaluation(record.evaluation)
    told = {answer.reason for answer in answers if not answer.passed}
    for violation in record.violations:
        if violation.reason not in told:
            rule = violation.rule or violation.reason
            at = f" at {violation.field}" if violation.field else ""
            answers.append(Answer(rule, passed=False, reason=violation.reason, detail=at.strip()))
    return answers


def _rule(answer: Answer) -> RuleEvaluation:
    return RuleEvaluation(
        rule=answer.rule,
        passed=answer.passed,
        reason=answer.reason,
        detail=answer.detail,
        remedy="" if answer.passed else REMEDIES.get(answer.reason, ""),
    )
