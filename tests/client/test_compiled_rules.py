from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from random import Random
from typing import Any, Final

import protovalidate
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from hypothesis import HealthCheck, Phase, given, settings

from buf.validate import validate_pb2
from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_service_pb2 import GetUserByEmailRequest
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest, GetWorkflowRequest
from symphony_client.contract_methods import ContractMethod, contract_methods
from symphony_client.prevalidation.compiled_patterns import python_pattern
from symphony_client.prevalidation.compiled_rules import CompiledRules
from tests.client import requests
from tests.client.odd_messages import Kinds, message_of, message_rules, message_with
from tests.client.spoiled_requests import spoiled
from tests.e2e.odd_requests import odd_requests

METHODS: Final = sorted(contract_methods().values(), key=lambda method: method.path)
RULES: Final = CompiledRules()


def is_valid(request: Message) -> bool:
    """What protovalidate says."""
    return not protovalidate.collect_violations(request)


def some_requests(method: ContractMethod) -> list[Any]:
    """Requests of a method, valid ones and others."""
    found: list[Any] = []

    @settings(
        max_examples=15,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=odd_requests(method.request, []))
    def collect(body: bytes) -> None:
        try:
            found.append(method.request.FromString(body))
        except DecodeError:
            return

    collect()
    chance = Random(3)  # noqa: S311 # no secret
    return found + [spoiled(each, chance) for each in found for _ in range(10)]


def has_an_odd_time(message: Message) -> bool:
    """Whether it has a time, of those that there are rules for, with nanos beyond a second."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        limits = field.GetOptions().Extensions[validate_pb2.field]
        for part in value if field.is_repeated else [value]:
            if limits.HasField("timestamp") or limits.HasField("duration"):
                if not 0 <= part.nanos < 10**9:
                    return True
            elif limits.ignore != validate_pb2.IGNORE_ALWAYS and has_an_odd_time(part):
                return True
    return False


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_requests_of_every_method_are_surely_valid_where_protovalidate_finds_nothing(
    method: ContractMethod,
) -> None:
    made = some_requests(method)

    for request in made:
        surely = RULES.surely_valid(request)
        # Of times that are not written as they should be nothing is known.
        assert surely == (is_valid(request) and not has_an_odd_time(request)), request
    assert any(map(RULES.surely_valid, made))


def with_steps(change: Callable[[Any], None]) -> Message:
    """Three good steps, the last of them changed."""
    request = requests.create_workflow(*(requests.step(name) for name in "abc"))
    change(request.spec.steps[2])
    return request


@pytest.mark.parametrize(
    "change",
    [
        lambda step: step.ClearField("name"),
        lambda step: setattr(step, "name", " \t "),
        lambda step: setattr(step, "name", "  "),
        lambda step: setattr(step, "name", "a\n"),
        lambda step: setattr(step, "name", "\u2028"),
        lambda step: setattr(step, "name", "x" * 129),
        lambda step: step.ClearField("command"),
        lambda step: setattr(step, "command", "x" * 4097),
        lambda step: step.depends_on.extend(["a", "a"]),
        lambda step: step.depends_on.append(""),
        lambda step: step.depends_on.extend(str(number) for number in range(65)),
        lambda step: setattr(step, "extension_id", "extension_1"),
        lambda step: step.estimated_duration.CopyFrom(Duration(seconds=-1)),
        lambda step: step.estimated_duration.CopyFrom(Duration(seconds=315_576_001)),
        lambda step: setattr(step, "compute_units", -1),
        lambda step: setattr(step, "compute_units", 10**9 + 1),
    ],
    ids=range(16),
)
def test_one_fault_in_one_of_many_steps_is_enough(change: Callable[[Any], None]) -> None:
    request = with_steps(change)

    assert not is_valid(request)
    assert not RULES.surely_valid(request)


@pytest.mark.parametrize(
    "change",
    [
        lambda step: setattr(step, "name", "\u00e9\u00a0\u3000z"),
        lambda step: setattr(step, "name", "\U0001f600" * 128),
        lambda step: setattr(step, "command", "\x00\n" + "x" * 4094),
        lambda step: step.depends_on.extend(str(number) for number in range(64)),
        lambda step: setattr(step, "extension_id", "extension_01h455vb4pex5vsknk084sn02q"),
        lambda step: step.estimated_duration.CopyFrom(Duration(seconds=315_576_000)),
        lambda step: step.estimated_duration.CopyFrom(Duration(nanos=999_999_999)),
        lambda step: setattr(step, "compute_units", 0),
        lambda step: setattr(step, "compute_units", 10**9),
    ],
    ids=range(9),
)
def test_what_is_just_within_the_rules_is_surely_valid(change: Callable[[Any], None]) -> None:
    request = with_steps(change)

    assert is_valid(request)
    assert RULES.surely_valid(request)


@pytest.mark.parametrize(
    ("condition", "valid"),
    [({"etag": "a"}, True), ({"etag": ""}, False), ({"exists": False}, True), ({}, False)],
    ids=str,
)
def test_what_is_set_to_nothing_differs_from_what_is_not_set(
    condition: dict[str, Any], valid: bool
) -> None:
    request = ExecuteTransactionRequest(
        operations=[
            TransactionOperation(delete_workflow=DeleteWorkflowRequest(id=requests.WORKFLOW_ID))
        ],
        preconditions=[Precondition(resource_id=requests.WORKFLOW_ID, **condition)] * 3,
    )

    assert is_valid(request) is valid
    assert RULES.surely_valid(request) is valid


def odd_characters() -> list[str]:
    """Those at which patterns might differ, and some that they should agree on."""
    every = map(chr, range(sys.maxunicode + 1))
    blank = [one for one in every if one.isspace() or unicodedata.category(one)[0] in "ZC"]
    chance = Random(5)  # noqa: S311 # no secret
    some = chance.sample([one for one in blank if unicodedata.category(one) in ("Cf", "Cn")], 60)
    known = [one for one in blank if unicodedata.category(one) not in ("Cf", "Cn", "Cs", "Co")]
    return [*known, *some, *"aZ09_.*@-~!\u00e9\u0378\uffff\U0010ffff"]


@pytest.mark.parametrize(
    "make",
    [
        lambda text: requests.create_workflow(name=text),
        lambda text: GetUserByEmailRequest(email=text),
        lambda text: CreateTokenRequest(name="x", scopes=[text]),
        lambda text: requests.create_workflow(request_id=text),
        lambda text: GetWorkflowRequest(id=requests.WORKFLOW_ID[:-1] + text),
    ],
    ids=["name", "e-mail", "scope", "request id", "id"],
)
def test_patterns_mean_the_same_to_the_last_character(make: Callable[[str], Message]) -> None:
    chance = Random(11)  # noqa: S311 # no secret
    characters = odd_characters()
    texts = [*characters, *(f"a{one}" for one in characters), *(f"{one}@b" for one in characters)]
    texts += ["".join(chance.choices(characters, k=chance.randint(2, 6))) for _ in range(2000)]

    for text in texts:
        request = make(text)
        assert RULES.surely_valid(request) == is_valid(request), text


@pytest.mark.parametrize(
    "pattern",
    [
        *("a$", "^a", r"^a\$", "^a|b$", "^a$b$", "^(?i)a$", "^a{,2}$"),
        *(r"^\pL$", r"^\bx$", r"^\p{L}$", r"^[\P{Cc}]$"),
        *(r"^[]\s]$", r"^[^]\s]$", "^[[:alpha:]]$", "^[a-z&&[^x]]$", "^[a-z--x]$"),
    ],
)
def test_a_pattern_that_python_might_read_otherwise_is_not_translated(pattern: str) -> None:
    assert python_pattern(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "matches", "others"),
    [
        (r"^\P{Cc}$", ["a", "\u2028"], ["\n", "\x9f", ""]),
        (r"^\p{Z}\S$", ["\u3000a"], ["a\u3000", "a"]),
        (r"^(a|b)\.$", ["a.", "b."], ["ax", "a.\n"]),
        (r"^[\]|]*$", ["]", "|]"], ["a"]),
    ],
)
def test_a_pattern_that_is_translated_matches_whole_texts(
    pattern: str, matches: list[str], others: list[str]
) -> None:
    translated = python_pattern(pattern)

    assert translated is not None
    assert all(map(translated.fullmatch, matches))
    assert not any(map(translated.fullmatch, others))


ITSELF: Final = {"type_name": "Odd", "label": Kinds.LABEL_REPEATED}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cel", message_with(Kinds.TYPE_STRING, 'cel {id: "x" expression: "true"}')),
        ("message_cel", message_rules('cel {id: "x" expression: "true"}')),
        ("text_rule", message_with(Kinds.TYPE_STRING, "string {prefix: 'a'}")),
        ("text_pattern", message_with(Kinds.TYPE_STRING, "string {pattern: 'a'}")),
        ("integer_rule", message_with(Kinds.TYPE_INT64, "int64 {gt: 1}")),
        ("integer_kind", message_with(Kinds.TYPE_UINT32, "uint32 {gte: 1}")),
        ("required_integer", message_with(Kinds.TYPE_INT32, "required: true int32 {gte: 0}")),
        ("required_alone", message_with(Kinds.TYPE_INT32, "required: true")),
        ("open_enum", message_with(Kinds.TYPE_ENUM, "enum {not_in: 1}", type_name="E")),
        (
            "duration_rule",
            message_with(
                Kinds.TYPE_MESSAGE, "duration {gt {}}", type_name=".google.protobuf.Duration"
            ),
        ),
        (
            "enum_rule",
            message_with(Kinds.TYPE_ENUM, "enum {defined_only: true in: 1}", type_name="E"),
        ),
        ("list_rule", message_with(Kinds.TYPE_ENUM, "required: true", type_name="E", label=3)),
        (
            "ignored_part",
            message_with(Kinds.TYPE_MESSAGE, "ignore: IGNORE_IF_ZERO_VALUE", type_name="Odd"),
        ),
        ("itself", message_with(Kinds.TYPE_MESSAGE, "", **ITSELF)),
    ],
)
def test_rules_that_the_contract_does_not_have_are_left_to_protovalidate(
    name: str, message: descriptor_pb2.DescriptorProto
) -> None:
    enum = descriptor_pb2.EnumDescriptorProto(name="E")
    enum.value.add(name=f"{name.upper()}_ZERO", number=0)

    assert not CompiledRules().surely_valid(
        message_of(name, message_type=[message], enum_type=[enum])
    )


def test_a_message_without_rules_is_surely_valid() -> None:
    assert CompiledRules().surely_valid(GetServerInfoRequest())
