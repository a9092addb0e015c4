"""Every reason of the contract, made by a real call, says what the contract promises of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Final

import grpc
import pytest
from google.protobuf import descriptor_pb2

from symphony.v1 import error_reason_pb2, policy_pb2
from symphony.v1.error_reason_pb2 import ErrorReason
from tests.contract.test_contract import GENERATED
from tests.server.refused_requests import OF_THE_REQUEST
from tests.server.refused_states import OF_THE_STATE
from tests.server.world import Refusal, World

SCENARIOS: Final = OF_THE_REQUEST | OF_THE_STATE
TIERS: Final = {
    "free": {"max_workflows": 1, "max_extensions": 1},
    "pro": {"requests_per_second": 1, "request_burst": 1},
}
"""Limits that are soon met; a PRO user's is hardly ever not."""
DETAILS: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: "BadRequest",
    grpc.StatusCode.NOT_FOUND: "ResourceInfo",
    grpc.StatusCode.FAILED_PRECONDITION: "PreconditionFailure",
    grpc.StatusCode.ABORTED: "PreconditionFailure",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "QuotaFailure",
    grpc.StatusCode.UNAVAILABLE: "RetryInfo",
}
"""Code → the detail that comes with it."""
UNRECORDED: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL)
"""The codes that are no decision."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One server for all; each scenario has people and projects of its own."""
    with World(tmp_path_factory.mktemp("reasons"), tiers=TIERS) as made:
        yield made


@pytest.fixture(scope="module")
def refusal_of(world: World) -> Callable[[str], Refusal]:
    """Makes the refusal of a reason, once: the next within a second is part of a flood."""

    @functools.cache
    def make(reason: str) -> Refusal:
        with pytest.MonkeyPatch.context() as patch:
            return SCENARIOS[reason](world, patch)

    return make


def code_of(reason: str) -> grpc.StatusCode:
    value = ErrorReason.DESCRIPTOR.values_by_name[f"ERROR_REASON_{reason}"]
    number = value.GetOptions().Extensions[policy_pb2.code]
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def promised_keys() -> dict[str, list[str]]:
    """Reason → the metadata keys that the contract's comment names after `Metadata:`."""
    files = descriptor_pb2.FileDescriptorSet.FromString((GENERATED / "symphony.binpb").read_bytes())
    file = next(f for f in files.file if f.name == error_reason_pb2.DESCRIPTOR.name)
    comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
    found = {}
    for index, value in enumerate(file.enum_type[0].value):
        # The path of a value: enum_type (5), the first, value (2), its index.
        _, _, promise = comments[5, 0, 2, index].partition("Metadata:")
        found[value.name.removeprefix("ERROR_REASON_")] = re.findall(r"`([a-z_]+)`", promise)
    return found


PROMISED_KEYS: Final = promised_keys()


def test_every_reason_of_the_contract_has_a_scenario() -> None:
    every = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118
    assert SCENARIOS.keys() == every - {"UNSPECIFIED"}


def test_the_contract_names_metadata_where_it_is_known_to() -> None:
    assert PROMISED_KEYS["TIER_STEP_LIMIT"] == ["tier", "limit", "actual"]
    assert PROMISED_KEYS["ROLE_REQUIRED"] == ["roles", "permission"]
    assert sum(map(bool, PROMISED_KEYS.values())) > 20


@pytest.mark.parametrize("reason", SCENARIOS)
def test_a_reason_comes_with_all_that_the_contract_promises(
    refusal_of: Callable[[str], Refusal], reason: str
) -> None:
    refusal = refusal_of(reason)

    assert (refusal.code, refusal.reason) == (code_of(reason), reason)
    info = refusal.details["ErrorInfo"]
    assert info.domain == "symphony.v1"
    assert info.metadata["request_id"] == refusal.trailing["x-request-id"]
    if refusal.code in UNRECORDED:
        assert "decision_id" not in info.metadata
    else:
        assert info.metadata["decision_id"] == refusal.trailing["x-symphony-decision-id"]
    missing = [key for key in PROMISED_KEYS[reason] if not info.metadata[key]]
    assert not missing
    assert DETAILS.get(refusal.code, "ErrorInfo") in refusal.details
    if reason == "RATE_LIMITED":
        assert "RetryInfo" in refusal.details


@pytest.mark.parametrize("reason", SCENARIOS)
def test_a_refusal_is_said_in_plain_words(
    refusal_of: Callable[[str], Refusal], reason: str
) -> None:
    refusal = refusal_of(reason)

    said = refusal.message
    assert len(said.split()) >= 4
    assert reason not in said
    assert not re.search(r"Traceback|Error\b|Exception|_pb2|SELECT|secret cause|disk I/O", said)
    assert said.isprintable()
    assert not said.endswith(".")
    described = [
        violation.description
        for kind in ("BadRequest", "QuotaFailure", "PreconditionFailure")
        if kind in refusal.details
        for violation in (
            refusal.details[kind].field_violations
            if kind == "BadRequest"
            else refusal.details[kind].violations
        )
    ]
    assert all(description in said for description in described)
