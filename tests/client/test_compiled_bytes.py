from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final

import protovalidate
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from symphony.v1.execution_pb2 import ExecutionStep
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.workflow_pb2 import WorkflowStep
from symphony_client.prevalidation.compiled_bytes import bytes_pattern
from tests.client.odd_messages import Kinds, message_of, message_rules, message_with

STEP: Final = bytes_pattern(WorkflowStep.DESCRIPTOR)
EXTENSION_ID: Final = "extension_01h455vb4pex5vsknk084sn02q"

NAMES: Final = (
    *("build", "build" * 25, "é" * 63, "Übersetzung", "a\u00df\u4e00", "x" * 127, "x" * 128),
    *("", " ", " a", "a\n", "a\x7f", "a\x85", "a\u0080", "\u3000", "\u2028", "\u00a0", "x" * 129),
    *('a"$', "\x12\x01a", "\x1a\x01a", "é" * 64, "é" * 129),
)
COMMANDS: Final = (
    *("make", "x" * 127, "\x00\n", "é" * 63, "\x12\x01a", '"'),
    *("", "x" * 128, "x" * 4096, "x" * 4097, "é" * 4096),
)
LISTS: Final[tuple[list[str], ...]] = (
    *([], ["a"], ["a", "ab", "b"], list("abcdefgh"), ["x" * 127, "\x00"], ["a\x1a\x01b", "c"]),
    *([""], ["a", "a"], ["b", "a", "c", "a"], ["x" * 129], ["x" * 128], list("abcdefghi")),
    *([str(number) for number in range(64)], [str(number) for number in range(65)]),
)
EXTENSION_IDS: Final = (
    *("", EXTENSION_ID),
    *("x", EXTENSION_ID[:-1], EXTENSION_ID + "\n", EXTENSION_ID.replace("_0", "_8"), "x" * 36),
)
SECONDS: Final = (0, 1, 127, 128, 2**21, 2**28 - 1, 2**28, 315_576_000, 315_576_001, -1, 2**40)
NANOS: Final = (0, 1, 128, 2**28, 805_306_367, 805_306_368, 999_999_999, 10**9, -1)
UNITS: Final = (None, 0, 1, 128, 2**28 - 1, 2**28, 10**9, 10**9 + 1, -1, 2**63 - 1)


def matches(message: Message) -> bool:
    pattern = bytes_pattern(message.DESCRIPTOR)
    return pattern is not None and pattern.fullmatch(message.SerializeToString()) is not None


def is_sound(message: Message) -> bool:
    """Whether protovalidate finds nothing, and its times are written as they should be."""
    times = [
        value
        for field, value in message.ListFields()
        if field.message_type is not None and field.message_type.name == "Duration"
    ]
    return not protovalidate.collect_violations(message) and all(
        0 <= time.nanos < 10**9 for time in times
    )


def a_step(chance: Random) -> WorkflowStep:
    """A step of which mostly all but one part is as it should be."""

    def some(values: Sequence[Any]) -> Any:
        return chance.choice(values) if chance.random() < 0.3 else chance.choice(values[:2])

    step = WorkflowStep(
        name=some(NAMES),
        command=some(COMMANDS),
        depends_on=some(LISTS),
        extension_id=some(EXTENSION_IDS),
        compute_units=some(UNITS),
    )
    if chance.random() < 0.5:
        step.estimated_duration.CopyFrom(Duration(seconds=some(SECONDS), nanos=some(NANOS)))
    return step


def test_a_step_whose_bytes_match_keeps_every_rule() -> None:
    chance = Random(4)  # noqa: S311 # no secret
    steps = [a_step(chance) for _ in range(6000)]

    assert STEP is not None
    matching = [step for step in steps if STEP.fullmatch(step.SerializeToString())]

    assert all(map(is_sound, matching))
    # Enough of each kind for that to mean something.
    assert 0.3 * len(steps) < len(matching) < sum(map(is_sound, steps)) < 0.5 * len(steps)


@pytest.mark.parametrize(
    "step",
    [
        WorkflowStep(name="build", command="make"),
        WorkflowStep(name="Übersetzung 2 -> PDF", command="make\n\ttest", depends_on=["a", "b"]),
        WorkflowStep(name="a", command="x" * 128, extension_id=EXTENSION_ID),
        WorkflowStep(name="a", command="é" * 1500, depends_on=["b"]),
        WorkflowStep(name="a", command="x" * 4095, depends_on=["b"]),
        WorkflowStep(name="x" * 127, command="é" * 63, depends_on=list("abcdefgh")),
        WorkflowStep(name="a", command="b", extension_id=EXTENSION_ID, compute_units=2**28 - 1),
        WorkflowStep(name="a", command="b", estimated_duration=Duration(), compute_units=0),
        WorkflowStep(name="a", command="b", estimated_duration=Duration(seconds=2**28 - 1)),
        WorkflowStep(name="a", command="b", estimated_duration=Duration(seconds=1, nanos=10**8)),
    ],
    ids=range(10),
)
def test_steps_as_they_are_mostly_written_match(step: WorkflowStep) -> None:
    assert is_sound(step)
    assert matches(step)


def test_texts_of_every_length_are_told_from_longer_and_shorter_ones() -> None:
    assert STEP is not None
    for size in range(1, 4200):
        step = WorkflowStep(name="a", command="x" * size, depends_on=["b"])
        body = step.SerializeToString()

        assert bool(STEP.fullmatch(body)) is (size < 4096)
        # As many bytes, of which the length counts one more or less: what follows is part of it.
        at = body.index(b"x") - 1
        assert not STEP.fullmatch(body[:at] + bytes([body[at] + 1]) + body[at + 1 :])
        assert not STEP.fullmatch(body[:at] + bytes([max(0, body[at] - 1)]) + body[at + 1 :])


def test_a_step_with_a_field_that_is_not_in_the_contract_does_not_match() -> None:
    body = WorkflowStep(name="a", command="b").SerializeToString()

    assert not matches(WorkflowStep.FromString(body + b"\x78\x01"))
    assert not matches(WorkflowStep.FromString(b"\x78\x01" + body))


def test_the_steps_of_an_execution_are_read_as_bytes_too() -> None:
    assert bytes_pattern(ExecutionStep.DESCRIPTOR) is not None


TEXT: Final = ("", "a", "aa", "é", "\U0001f600", "a" * 5, "é" * 3, "é" * 127, "a" * 127, "a" * 200)
TEXTS: Final[tuple[list[str], ...]] = (
    *([], ["a"], ["a", "a"], ["a", "b", "c"], [""]),
    *(["a"] * 9, [str(number) for number in range(9)]),
)
NUMBERS: Final = (0, 1, -1, 5, 127, 128, 300, 2**31 - 1)


@pytest.mark.parametrize(
    ("name", "kind", "rules", "values"),
    [
        ("bytes_short", Kinds.TYPE_STRING, "string {min_len: 2 max_len: 8}", TEXT),
        ("bytes_empty", Kinds.TYPE_STRING, "string {max_len: 3}", TEXT),
        ("bytes_needed", Kinds.TYPE_STRING, "required: true string {min_len: 1}", TEXT),
        ("bytes_some", Kinds.TYPE_STRING, "repeated {min_items: 2 items {string {}}}", TEXTS),
        ("bytes_few", Kinds.TYPE_STRING, "repeated {max_items: 2 items {string {}}}", TEXTS),
        ("bytes_many", Kinds.TYPE_STRING, "repeated {items {string {min_len: 1}}}", TEXTS),
        ("bytes_unique", Kinds.TYPE_STRING, "repeated {unique: true items {string {}}}", TEXTS),
        ("bytes_number", Kinds.TYPE_INT32, "int32 {gte: 0 lte: 200}", NUMBERS),
        ("bytes_small_number", Kinds.TYPE_INT32, "int32 {gte: 0 lte: 100}", NUMBERS),
        ("bytes_negative", Kinds.TYPE_INT32, "int32 {gte: -5 lte: 300}", NUMBERS),
        ("bytes_no_most", Kinds.TYPE_INT32, "int32 {gte: 0}", NUMBERS),
        ("bytes_one_of", Kinds.TYPE_STRING, "string {in: ['', 'a']}", TEXT),
        ("bytes_ignored", Kinds.TYPE_STRING, "ignore: IGNORE_ALWAYS string {max_len: 1}", TEXT),
        ("bytes_numbers", Kinds.TYPE_INT32, "repeated {items {int32 {gte: 0}}}", [[], [1]]),
        (
            *("bytes_ids", Kinds.TYPE_STRING),
            *("repeated {items {string {pattern: '^[ab]$'}}}", [[], ["a"], ["c"]]),
        ),
    ],
)
def test_other_rules_of_these_kinds_are_kept_by_what_matches(
    name: str, kind: Any, rules: str, values: Sequence[Any]
) -> None:
    label = Kinds.LABEL_REPEATED if "repeated" in rules else Kinds.LABEL_OPTIONAL
    kind_of_message = type(message_of(name, message_type=[message_with(kind, rules, label=label)]))
    messages = [kind_of_message(field=value) for value in values]

    matching = [message for message in messages if matches(message)]

    assert matching
    assert all(map(is_sound, matching))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bytes_message_rules", message_rules('cel {id: "x" expression: "true"}')),
        ("bytes_long", message_with(Kinds.TYPE_STRING, "string {min_len: 200}")),
        ("bytes_long_name", message_with(Kinds.TYPE_STRING, "string {min_len: 40 max_len: 120}")),
        ("bytes_far", message_with(Kinds.TYPE_INT32, "int32 {gte: 1 lte: 200}")),
        (
            "bytes_of_many",
            message_with(
                *(Kinds.TYPE_STRING, "repeated {unique: true min_items: 9 items {string {}}}"),
                label=Kinds.LABEL_REPEATED,
            ),
        ),
        (
            "bytes_later",
            message_with(
                *(
                    Kinds.TYPE_MESSAGE,
                    "required: true duration {gte {seconds: 1} lte {seconds: 2}}",
                ),
                type_name=".google.protobuf.Duration",
            ),
        ),
        ("bytes_pattern", message_with(Kinds.TYPE_STRING, "string {pattern: '^[ab]$'}")),
    ],
)
def test_without_a_way_to_write_what_is_needed_there_is_no_pattern(
    name: str, message: DescriptorProto
) -> None:
    assert bytes_pattern(message_of(name, message_type=[message]).DESCRIPTOR) is None


def test_a_field_of_a_high_number_is_found_by_the_bytes_of_its_number() -> None:
    kind = message_with(Kinds.TYPE_STRING, "string {min_len: 1 max_len: 5}", number=3000)
    message = type(message_of("bytes_number_3000", message_type=[kind]))

    assert matches(message(field="a"))
    assert not matches(message(field="a" * 6))
    assert not matches(message())


def test_of_a_message_of_which_one_part_is_set_there_is_no_pattern() -> None:
    assert bytes_pattern(TransactionOperation.DESCRIPTOR) is None
