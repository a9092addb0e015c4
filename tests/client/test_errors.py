from __future__ import annotations

import grpc
import pytest
from google.rpc import code_pb2

import symphony_client.errors
from symphony.v1 import policy_pb2
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_client.errors import (
    ERROR_CLASSES_BY_CODE,
    ERROR_CLASSES_BY_REASON,
    Conflict,
    DataError,
    LimitExceeded,
    StatusDetails,
    Violation,
)

PREFIX = "ERROR_REASON_"
VALUES = {
    value.name.removeprefix(PREFIX): value
    for value in ErrorReason.DESCRIPTOR.values
    if value.number != 0
}


def test_every_reason_of_the_contract_is_exactly_one_error() -> None:
    reasons_by_class = symphony_client.errors.reasons._REASONS_BY_CLASS
    listed = [reason for reasons in reasons_by_class.values() for reason in reasons]

    assert sorted(listed) == sorted(VALUES)
    assert ERROR_CLASSES_BY_REASON.keys() == VALUES.keys()


@pytest.mark.parametrize("reason", VALUES)
def test_a_reason_and_its_code_are_the_same_error(reason: str) -> None:
    code = VALUES[reason].GetOptions().Extensions[policy_pb2.code]
    by_code = ERROR_CLASSES_BY_CODE[grpc.StatusCode[code_pb2.Code.Name(code)]]

    # The one exception: nothing exists already, it is the id that is taken.
    expected = Conflict if reason == "REQUEST_ID_REUSED" else by_code
    assert ERROR_CLASSES_BY_REASON[reason] is expected


def test_every_status_code_of_a_failure_is_an_error() -> None:
    assert {*ERROR_CLASSES_BY_CODE, grpc.StatusCode.OK} == set(grpc.StatusCode)


def test_every_error_is_in_the_tree_that_the_docstring_draws() -> None:
    drawing = symphony_client.errors.__doc__ or ""
    classes = [
        thing
        for name in symphony_client.errors.__all__
        if isinstance(thing := getattr(symphony_client.errors, name), type)
        and issubclass(thing, DataError)
    ]

    assert len(classes) == 15
    for error_class in classes:
        assert error_class.__name__ in drawing


def test_an_error_can_be_made_by_hand() -> None:
    bare = LimitExceeded("slow down")
    full = LimitExceeded("slow down", StatusDetails(reason="RATE_LIMITED", request_id="r1"))

    assert (str(bare), bare.reason, bare.retry_after, bare.violations) == (
        "slow down",
        "",
        None,
        (),
    )
    assert repr(bare) == "LimitExceeded('slow down')"
    assert repr(full) == "LimitExceeded('slow down', reason='RATE_LIMITED')"
    assert full.request_id == "r1"


@pytest.mark.parametrize(
    ("violation", "text"),
    [
        (Violation(field="id", description="no"), "id: no"),
        (Violation(subject="user_1", description="no"), "user_1: no"),
        (Violation(description="no"), "no"),
    ],
)
def test_a_violation_reads_as_a_sentence(violation: Violation, text: str) -> None:
    assert str(violation) == text
