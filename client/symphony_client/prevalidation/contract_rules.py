"""The contract's own rules: the `buf.validate` annotations and the size of a request."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice
from time import perf_counter
from typing import Final

import protovalidate
from google.protobuf.message import Message

from symphony_client.errors import PreValidationFailed, Violation
from symphony_client.errors.tree import MAX_VIOLATIONS_IN_MESSAGE
from symphony_client.prevalidation.compiled_rules import CompiledRules
from symphony_client.prevalidation.long_lists import too_long_lists
from symphony_client.prevalidation.nul_texts import texts_with_nul
from symphony_client.prevalidation.stats import StatsRecorder, process_stats

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
"""What the contract allows, and what gRPC takes by default."""

MAX_REQUEST_BYTES_RULE: Final = "request.max_bytes"
"""The rule id of that limit, in the manner of protovalidate's."""

MAX_BYTES_JUDGED_WHOLE: Final = 64 * 1024
"""Of a larger request only the first mistake is told, as on the server: finding one takes some
17 µs, two bytes can be one, and this may be running on an event loop."""


class ContractRules:
    """A `PreValidator` of any message of the contract, by what the contract says of it."""

    def __init__(
        self,
        *,
        validator: protovalidate.Validator | None = None,
        recorder: StatsRecorder | None = None,
    ) -> None:
        """Count and time in `recorder`, by default the one that `prevalidation.stats()` reads.

        A `validator` given is asked about every request, the usual one only about those that the
        compiled rules do not find to be valid.
        """
        self._validator = validator or _process_validator()
        self._compiled = None if validator else _process_rules()
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
        if self._compiled is not None and self._compiled.surely_valid(request):
            return []
        try:
            violations = self._broken_rules(request, size)
        except (protovalidate.CompilationError, protovalidate.EvaluationError):
            # A rule that this version cannot judge is the server's to judge.
            return []
        if not violations:
            return []
        # Of fields that are not in the contract the server speaks first, and of nothing else; then
        # of what no text may hold.
        if _has_unknown_fields(request, size):
            return []
        return list(islice(texts_with_nul(request), MAX_VIOLATIONS_IN_MESSAGE)) or violations

    def _broken_rules(self, request: Message, size: int) -> list[Violation]:
        """Returns what the server would say: of lists that are too long nothing else."""
        too_long = list(islice(too_long_lists(request), MAX_VIOLATIONS_IN_MESSAGE))
        if not too_long and size <= MAX_BYTES_JUDGED_WHOLE:
            return [_violation(one) for one in self._validator.collect_violations(request)]
        first = self._validator.collect_violations(request, fail_fast=True)
        return too_long if first and too_long else [_violation(one) for one in first]


@cache
def _process_validator() -> protovalidate.Validator:
    """Returns the validator of the whole process; compiling the rules of a message, which it does
    when it first meets one, takes it tens of milliseconds.
    """
    return protovalidate.Validator()


@cache
def _process_rules() -> CompiledRules:
    """Returns the compiled rules of the whole process."""
    return CompiledRules()


def _has_unknown_fields(request: Message, size: int) -> bool:
    known = type(request)()
    known.CopyFrom(request)
    known.DiscardUnknownFields()
    return known.ByteSize() != size


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
