"""The contract's own rules: the `buf.validate` annotations and the size of a request."""

from __future__ import annotations

import json
from time import perf_counter
from typing import Final

import protovalidate
from google.protobuf.message import Message

from symphony_client.errors import PreValidationFailed, Violation
from symphony_client.prevalidation.stats import StatsRecorder, process_stats

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
"""What the contract allows, and what gRPC takes by default."""

MAX_REQUEST_BYTES_RULE: Final = "request.max_bytes"
"""The rule id of that limit, in the manner of protovalidate's."""


class ContractRules:
    """A `PreValidator` of any message of the contract, by what the contract says of it."""

    def __init__(
        self,
        *,
        validator: protovalidate.Validator | None = None,
        recorder: StatsRecorder | None = None,
    ) -> None:
        """Count and time in `recorder`, by default the one that `prevalidation.stats()` reads."""
        # Compiles the rules of a message when it first meets it, and keeps them.
        self._validator = validator or protovalidate.Validator()
        self._recorder = recorder or process_stats()

    def should_attempt_request(self, request: Message) -> None:
        """Returns if the request keeps every rule that the contract can express.

        Raises:
            PreValidationFailed: it does not; the violations are in the server's order and words
                of field and rule.
        """
        start = perf_counter()
        violations = self._violations(request)
        self._recorder.record(
            request.DESCRIPTOR.name,
            seconds=perf_counter() - start,
            refused=bool(violations),
        )
        if violations:
            raise PreValidationFailed(violations)

    def _violations(self, request: Message) -> list[Violation]:
        size = request.ByteSize()
        if size > MAX_REQUEST_BYTES:
            # As on the server, where what is too large is refused unread.
            return [
                Violation(
                    rule=MAX_REQUEST_BYTES_RULE,
                    description=f"the request has {size} bytes, {MAX_REQUEST_BYTES} at most",
                )
            ]
        try:
            found = self._validator.collect_violations(request)
        except (protovalidate.CompilationError, protovalidate.EvaluationError):
            # A rule that this version cannot judge is the server's to judge.
            return []
        return [_violation(one) for one in found]


def _violation(found: protovalidate.Violation) -> Violation:
    violation = found.proto
    return Violation(
        field=_path(violation.field),
        rule=violation.rule_id,
        description=violation.message,
    )


def _path(path: protovalidate.FieldPathPb | None) -> str:
    """Returns the path as a person writes it: `spec.steps[3].name`, `labels["a"]`."""
    return ".".join(_element(element) for element in path.elements) if path else ""


def _element(element: protovalidate.FieldPathElementPb) -> str:
    subscript = element.subscript
    return element.field_name + (f"[{json.dumps(subscript.value)}]" if subscript else "")
