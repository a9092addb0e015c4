"""What the contract says of a message by itself."""

from __future__ import annotations

from functools import cache

from google.protobuf.message import Message

from symphony_client.errors import PreValidationFailed, Violation
from symphony_client.prevalidation.contract_rules import ContractRules
from symphony_client.prevalidation.stats import StatsRecorder


def check_structure(message: Message) -> None:
    """Returns if the message keeps every rule of the contract.

    Raises:
        PreValidationFailed: it does not.
    """
    _rules().should_attempt_request(message)


def broken_rules(message: Message) -> tuple[Violation, ...]:
    """What breaks the contract's rules in a message."""
    try:
        check_structure(message)
    except PreValidationFailed as failed:
        return tuple(failed.violations)
    return ()


@cache
def _rules() -> ContractRules:
    """One for all, since compiling the rules takes longer than anything else here; it counts
    apart from `prevalidation.stats()`, for it stands for the server.
    """
    return ContractRules(recorder=StatsRecorder())
