"""Credentials that are none, or nearly right, get a clear canonical error."""

from __future__ import annotations

import base64
import json

import pytest

from tests.e2e.bad_input import WHO_AM_I
from tests.e2e.place import Place
from tests.e2e.wire import Metadata

MISSING: list[Metadata] = [(), (("authorization-bin", b"Bearer x"),), (("cookie", "sym_x"),)]
NONE_ALG = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "none"}, {"sub": "admin@localhost"})
)
WRONG = (
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Basic eDp5",
    "Bearer sym_",
    f"Bearer {NONE_ALG}.",
    "x" * 900,
)


@pytest.mark.parametrize("metadata", MISSING, ids=["nothing", "bytes", "another key"])
def test_no_credentials_are_told_apart_from_wrong_ones(place: Place, metadata: Metadata) -> None:
    refusal = place.wire.send(WHO_AM_I, b"", metadata)
    assert refusal is not None
    assert refusal.reason == "CREDENTIALS_MISSING"


@pytest.mark.parametrize("value", WRONG)
def test_garbage_for_credentials_is_refused(place: Place, value: str) -> None:
    refusal = place.wire.send(WHO_AM_I, b"", (("authorization", value),))
    assert refusal is not None
    assert refusal.reason == "CREDENTIALS_INVALID"


def test_a_credential_that_is_nearly_right_is_refused(place: Place) -> None:
    right = place.wire.token
    flipped = right[:20] + ("a" if right[20] != "a" else "b") + right[21:]
    for wrong in (right[:-1], right + "x", right.swapcase(), f"{right} {right}", flipped):
        refusal = place.wire.send(WHO_AM_I, b"", (("authorization", f"Bearer {wrong}"),))
        assert refusal is not None
        assert refusal.reason == "CREDENTIALS_INVALID"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("x-symphony-act-as", "", "FIELD_INVALID"),
        ("x-symphony-act-as", "root", "FIELD_INVALID"),
        ("x-symphony-act-as", "user_01jz8r4t5vfxh8m0q2n3p4s5t6", "ACT_AS_NOT_ALLOWED"),
        ("x-symphony-act-as-bin", b"\xff\x00", "ACT_AS_NOT_ALLOWED"),
        ("x-symphony-user-id", "user_01jz8r4t5vfxh8m0q2n3p4s5t6", "ACT_AS_NOT_ALLOWED"),
    ],
)
def test_metadata_that_claims_to_be_somebody_is_refused(
    place: Place, key: str, value: str | bytes, reason: str
) -> None:
    refusal = place.wire.send(WHO_AM_I, b"", (*place.wire.credentials, (key, value)))
    assert refusal is not None
    assert refusal.reason == reason
