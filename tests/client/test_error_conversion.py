from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    Help,
    PreconditionFailure,
    QuotaFailure,
    ResourceInfo,
    RetryInfo,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from symphony_client import raising_data_errors, to_data_error
from symphony_client.errors import (
    AlreadyExists,
    AuthorizationFailed,
    Conflict,
    DataError,
    DeadlineExceeded,
    LimitExceeded,
    NetworkError,
    NotFound,
    PreconditionFailed,
    PreValidationFailed,
    SerializationError,
    ServerError,
    ValidationFailed,
    Violation,
)

DETAILS = "grpc-status-details-bin"


class FailedCall(grpc.RpcError):
    """A call that failed, as the stubs raise it."""

    def __init__(
        self, code: grpc.StatusCode | None, message: str, trailers: tuple[tuple[str, object], ...]
    ) -> None:
        super().__init__(message)
        self._code, self._message, self._trailers = code, message, trailers

    def code(self) -> grpc.StatusCode:
        return self._code  # type: ignore[return-value] # None is what gRPC gives before the end

    def details(self) -> str:
        return self._message

    def trailing_metadata(self) -> tuple[tuple[str, object], ...]:  # type: ignore[override]
        return self._trailers


def failed(
    code: grpc.StatusCode, *details: Message, trailers: tuple[tuple[str, str], ...] = ()
) -> FailedCall:
    """A call that the server refused with these details."""
    status = status_pb2.Status(code=code.value[0], message="plain words")
    for detail in details:
        status.details.add().Pack(detail)
    return FailedCall(code, "plain words", (*trailers, (DETAILS, status.SerializeToString())))


def info(reason: str, domain: str = "symphony.v1", **metadata: str) -> ErrorInfo:
    return ErrorInfo(reason=reason, domain=domain, metadata=metadata)


def test_field_violations_keep_their_order_path_rule_and_words() -> None:
    fields = BadRequest()
    fields.field_violations.add(
        field="spec.steps[3].name", reason="string.min_len", description="is empty"
    )
    fields.field_violations.add(
        field="spec.steps", reason="STEP_DEPENDENCY_CYCLE", description="a -> b -> a"
    )

    error = to_data_error(
        failed(
            grpc.StatusCode.INVALID_ARGUMENT,
            info("STEP_DEPENDENCY_CYCLE", cycle="a -> b -> a"),
            fields,
        )
    )

    assert type(error) is ValidationFailed
    assert error.message == str(error) == "plain words"
    assert error.reason == "STEP_DEPENDENCY_CYCLE"
    assert error.metadata["cycle"] == "a -> b -> a"
    assert error.violations == (
        Violation(field="spec.steps[3].name", rule="string.min_len", description="is empty"),
        Violation(field="spec.steps", rule="STEP_DEPENDENCY_CYCLE", description="a -> b -> a"),
    )


def test_a_denial_tells_its_reason_and_its_decision() -> None:
    error = to_data_error(
        failed(
            grpc.StatusCode.PERMISSION_DENIED,
            info("OWNER_REQUIRED", decision_id="audit_1", request_id="r1"),
        )
    )

    assert type(error) is AuthorizationFailed
    assert (error.reason, error.decision_id, error.request_id) == (
        "OWNER_REQUIRED",
        "audit_1",
        "r1",
    )


def test_a_quota_tells_whose_it_is_and_when_to_come_back() -> None:
    quota = QuotaFailure()
    quota.violations.add(subject="user_1", description="100 requests a second")
    retry = RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))

    error = to_data_error(
        failed(grpc.StatusCode.RESOURCE_EXHAUSTED, info("RATE_LIMITED"), quota, retry)
    )

    assert type(error) is LimitExceeded
    assert error.retry_after == timedelta(seconds=2.5)
    assert error.violations == (Violation(subject="user_1", description="100 requests a second"),)


def test_a_precondition_tells_what_is_in_the_way() -> None:
    unmet = PreconditionFailure()
    unmet.violations.add(type="RESOURCE_IN_USE", subject="project_1", description="2 workflows")

    error = to_data_error(
        failed(grpc.StatusCode.FAILED_PRECONDITION, info("RESOURCE_IN_USE"), unmet)
    )

    assert type(error) is PreconditionFailed
    assert error.violations == (
        Violation(rule="RESOURCE_IN_USE", subject="project_1", description="2 workflows"),
    )


def test_what_is_missing_is_named() -> None:
    resource = ResourceInfo(resource_type="workflow", resource_name="workflow_1")

    error = to_data_error(failed(grpc.StatusCode.NOT_FOUND, info("RESOURCE_NOT_FOUND"), resource))

    assert type(error) is NotFound
    assert (error.status.resource_type, error.status.resource_name) == ("workflow", "workflow_1")


def test_ids_are_read_off_the_trailers_where_the_details_have_none() -> None:
    error = to_data_error(
        FailedCall(
            grpc.StatusCode.INTERNAL,
            "internal error",
            (("x-request-id", "r1"), ("x-symphony-decision-id", "audit_1"), ("x-bin", b"\0")),
        )
    )

    assert type(error) is ServerError
    assert (error.request_id, error.decision_id) == ("r1", "audit_1")


def test_a_request_id_used_for_something_else_is_a_conflict_and_not_an_existing_thing() -> None:
    reused = to_data_error(failed(grpc.StatusCode.ALREADY_EXISTS, info("REQUEST_ID_REUSED")))
    taken = to_data_error(failed(grpc.StatusCode.ALREADY_EXISTS, info("DUPLICATE_NAME")))

    assert (type(reused), type(taken)) == (Conflict, AlreadyExists)


@pytest.mark.parametrize("reason", ["SOMETHING_NEW", ""])
def test_a_reason_of_a_later_contract_is_kept_and_judged_by_its_code(reason: str) -> None:
    error = to_data_error(failed(grpc.StatusCode.ABORTED, info(reason)))

    assert type(error) is Conflict
    assert error.reason == reason


def test_the_reason_of_another_service_on_the_way_is_not_taken_for_ours() -> None:
    error = to_data_error(
        failed(grpc.StatusCode.UNAVAILABLE, info("RESOURCE_NOT_FOUND", domain="proxy.example"))
    )

    assert type(error) is NetworkError
    assert error.reason == ""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (FailedCall(grpc.StatusCode.DEADLINE_EXCEEDED, "late", ()), DeadlineExceeded),
        (FailedCall(grpc.StatusCode.OK, "odd", ()), ServerError),
        (FailedCall(None, "odd", ()), ServerError),
        (
            FailedCall(grpc.StatusCode.INTERNAL, "Exception deserializing response!", ()),
            SerializationError,
        ),
        (grpc.RpcError("bare"), ServerError),
        (grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, details="gone"), NetworkError),
    ],
)
def test_an_error_without_details_is_judged_by_its_code(
    call: grpc.RpcError, expected: type[DataError]
) -> None:
    error = to_data_error(call)

    assert type(error) is expected
    assert error.message
    assert error.violations == ()
    assert error.retry_after is None


@pytest.mark.parametrize(
    "trailer",
    [
        b"\xff\xff\xff",
        status_pb2.Status(code=3, message="plain words").SerializeToString(),
        status_pb2.Status(code=5, message="other words").SerializeToString(),
        status_pb2.Status(
            code=5, message="plain words", details=[Any(type_url="nonsense", value=b"\xff")]
        ).SerializeToString(),
        status_pb2.Status(
            code=5,
            message="plain words",
            details=[Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")],
        ).SerializeToString(),
    ],
    ids=["no status", "another code", "another message", "unknown type", "broken detail"],
)
def test_malformed_details_are_as_good_as_none(trailer: bytes) -> None:
    error = to_data_error(
        FailedCall(grpc.StatusCode.NOT_FOUND, "plain words", ((DETAILS, trailer),))
    )

    assert type(error) is NotFound
    assert error.reason == ""


def test_one_bad_detail_does_not_take_the_others_with_it() -> None:
    impossible = RetryInfo(retry_delay=Duration(seconds=2**62))

    error = to_data_error(
        failed(grpc.StatusCode.UNAVAILABLE, Help(), impossible, info("OVERLOADED"))
    )

    assert type(error) is NetworkError
    assert (error.reason, error.retry_after) == ("OVERLOADED", None)


@settings(deadline=None)
@given(code=st.sampled_from(grpc.StatusCode), trailer=st.binary(), message=st.text())
def test_no_bytes_whatever_break_the_reading(
    code: grpc.StatusCode, trailer: bytes, message: str
) -> None:
    assert isinstance(to_data_error(FailedCall(code, message, ((DETAILS, trailer),))), DataError)


@settings(deadline=None)
@given(
    code=st.sampled_from(grpc.StatusCode),
    details=st.lists(
        st.tuples(
            st.sampled_from([BadRequest, ErrorInfo, QuotaFailure, ResourceInfo, RetryInfo]),
            st.binary(),
        )
    ),
)
def test_no_bytes_inside_a_detail_break_the_reading(
    code: grpc.StatusCode, details: list[tuple[type[Message], bytes]]
) -> None:
    status = status_pb2.Status(code=code.value[0])
    for detail_type, value in details:
        type_url = f"type.googleapis.com/{detail_type.DESCRIPTOR.full_name}"
        status.details.add(type_url=type_url, value=value)

    call = FailedCall(code, "", ((DETAILS, status.SerializeToString()),))

    assert isinstance(to_data_error(call), DataError)


def test_an_error_survives_being_copied() -> None:
    error = to_data_error(failed(grpc.StatusCode.ABORTED, info("ETAG_MISMATCH", etag="e2")))

    for twin in (copy.deepcopy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 # our own
        assert type(twin) is Conflict
        assert (str(twin), twin.metadata["etag"]) == ("plain words", "e2")


def test_in_the_block_a_call_raises_its_data_error_with_the_rpc_error_as_its_cause() -> None:
    call = failed(grpc.StatusCode.NOT_FOUND, info("RESOURCE_NOT_FOUND"))

    with pytest.raises(NotFound) as caught, raising_data_errors():
        raise call

    assert caught.value.__cause__ is call


def test_in_the_block_a_refusal_before_the_call_stays_what_it_is() -> None:
    refusal = PreValidationFailed([Violation(field="id", description="no")])

    with pytest.raises(PreValidationFailed) as caught, raising_data_errors():
        raise refusal

    assert caught.value is refusal
    assert caught.value.__cause__ is None


def test_in_the_block_other_errors_pass_and_success_too() -> None:
    with raising_data_errors():
        pass
    with pytest.raises(KeyError), raising_data_errors():
        raise KeyError


async def test_the_block_serves_await_and_async_for() -> None:
    async def answers() -> AsyncIterator[int]:
        yield 1
        raise grpc.aio.AioRpcError(grpc.StatusCode.OUT_OF_RANGE, details="too old")

    with pytest.raises(Conflict, match="too old"), raising_data_errors():
        async for _ in answers():
            pass
