from __future__ import annotations

import base64

import grpc
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure
from hypothesis import given
from hypothesis import strategies as st

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import REASON_NAMES, Refused, Violation
from symphony_server.rpc.errors import CODES, status_of

REASONS = [reason for reason in ErrorReason.values() if reason]

violations = st.builds(
    Violation,
    st.sampled_from(REASONS),
    st.text(max_size=3000),
    field=st.text(max_size=300),
    rule=st.sampled_from(["", "string.min_len"]),
    subject=st.text(max_size=200),
    metadata=st.dictionaries(st.sampled_from(["cycle", "tier"]), st.text(max_size=2000)),
)


@given(st.lists(violations, min_size=1, max_size=1500))
def test_a_status_fits_its_trailers_whatever_is_wrong(found: list[Violation]) -> None:
    status = status_of(Refused(found), request_id="r" * 64, decision_id="audit_" + "0" * 26)
    parsed = status_pb2.Status.FromString(status.details)

    assert status.code == CODES[found[0].code]
    assert parsed.message == status.message
    assert parsed.code == status.code.value[0]
    if len(found) > 1 or len(found[0].field) < 100:
        assert len(base64.b64encode(status.details)) <= 2500
    info = ErrorInfo()
    assert parsed.details[0].Unpack(info)
    assert (info.reason, info.domain) == (REASON_NAMES[found[0].reason], "symphony.v1")


def field_invalid(n: int) -> Violation:
    return Violation(
        ErrorReason.ERROR_REASON_FIELD_INVALID,
        "must not be blank",
        field=f"spec.steps[{n}].name",
        rule="string.pattern",
    )


def test_the_first_twenty_violations_are_named_and_the_rest_counted() -> None:
    status = status_of(
        Refused([field_invalid(n) for n in range(1000)]), request_id="r", decision_id="d"
    )
    bad = BadRequest()
    parsed = status_pb2.Status.FromString(status.details)
    assert parsed.details[1].Unpack(bad)
    assert [v.field for v in bad.field_violations] == [f"spec.steps[{n}].name" for n in range(20)]
    assert status.message.startswith("1000 things are wrong: spec.steps[0].name: must not be blank")
    assert status.message.endswith("and 980 more")
    assert len(base64.b64encode(status.details)) <= 2048


def test_one_violation_is_said_without_counting() -> None:
    status = status_of(Refused([field_invalid(3)]), request_id="r", decision_id="")
    assert status.message == "spec.steps[3].name: must not be blank"
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT


def test_what_does_not_fit_in_words_is_still_named() -> None:
    found = [
        Violation(
            ErrorReason.ERROR_REASON_SCAN_REJECTED,
            f"does thing {n} that nobody wants done here, so take it out of the manifest and ship "
            "the result with the extension instead, where it can be looked at",
            field=f"manifest.hooks.h{n}",
            rule=f"rule-{n}",
            subject="manifest",
        )
        for n in range(8)
    ]
    status = status_of(Refused(found), request_id="r", decision_id="d")
    assert "manifest.hooks.h0: does thing 0 that nobody wants" in status.message
    assert status.message.endswith("manifest.hooks.h6 (rule-6), manifest.hooks.h7 (rule-7)")
    parsed = status_pb2.Status.FromString(status.details)
    unmet = PreconditionFailure()
    assert parsed.details[2].Unpack(unmet)
    assert [(v.type, v.subject) for v in unmet.violations] == [("SCAN_REJECTED", "manifest")]


def test_several_findings_on_one_subject_are_told_once_each() -> None:
    found = [
        Violation(
            ErrorReason.ERROR_REASON_SCAN_REJECTED,
            f"is wrong in the way {n}",
            field=f"manifest.hooks.h{n}",
            rule=f"rule-{n}",
            subject="manifest",
        )
        for n in range(3)
    ]
    parsed = status_pb2.Status.FromString(
        status_of(Refused(found), request_id="r", decision_id="d").details
    )
    bad, unmet = BadRequest(), PreconditionFailure()
    assert parsed.details[1].Unpack(bad)
    assert parsed.details[2].Unpack(unmet)
    assert [v.description for v in bad.field_violations] == [v.description for v in found]
    assert [(v.type, v.description) for v in unmet.violations] == [
        ("SCAN_REJECTED", "is wrong in the way 0")
    ]


def test_what_is_about_no_field_is_told_in_full() -> None:
    found = [
        Violation(ErrorReason.ERROR_REASON_PRECONDITION_FAILED, f"was changed {n}", subject="x")
        for n in range(2)
    ]
    parsed = status_pb2.Status.FromString(
        status_of(Refused(found), request_id="r", decision_id="d").details
    )
    unmet = PreconditionFailure()
    assert parsed.details[1].Unpack(unmet)
    assert [v.description for v in unmet.violations] == ["was changed 0", "was changed 1"]
