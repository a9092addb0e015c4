"""Requests made from the contract's descriptors: mostly right, so that they come far, with
something odd in them here and there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from buf.validate import validate_pb2

Strategy: TypeAlias = st.SearchStrategy[Any]

MAX_DEPTH: Final = 5
MAX_REPEATED: Final = 3
ODD_ONE_IN: Final = 25

TEXTS: Final = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "Ünïcødé",
    "\ud7ff\ue000\uffff\U0010ffff",  # what is nearest to a surrogate and still text
    "\u202egnp.exe",
    "%s{}$(id)'; DROP TABLE users; --",
    "é" * 129,
    "x" * 4097,
    "spec.steps[0].name",
    "..",
    "name desc",
    "user_x",
    "\uff21",
)
INTEGERS: Final = (0, -1, 1001, 10**9 + 1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))
STEPS: Final = ("only", "a", "b")
LAST_SECOND: Final = 253402300799
_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f"
_TEXT: Final = st.characters(exclude_categories=["Cs"])


def odd_requests(request: type[Any], known: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Bytes of a request; ids in it are often those known. One in five is changed as bytes."""
    messages = _Values(known).messages(request.DESCRIPTOR)
    sound: Strategy = messages.map(lambda message: message.SerializeToString())
    changed = st.builds(_changed, sound, _CHANGES) | st.binary(max_size=200)
    return _mostly(sound, changed, one_in=5)


def _mostly(right: Strategy, odd: Strategy, one_in: int = ODD_ONE_IN) -> Strategy:
    return st.integers(1, one_in).flatmap(lambda drawn: odd if drawn == one_in else right)


_CHANGES: Final = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(["set", "cut", "drop", "add"]), st.binary()),
    min_size=1,
    max_size=3,
)


def _changed(body: bytes, changes: Sequence[tuple[int, str, bytes]]) -> bytes:
    for place, how, new in changes:
        at = place % (len(body) + 1)
        if how == "cut":
            body = body[:at]
        else:
            rest = {"set": at + len(new), "drop": at + 1, "add": at}[how]
            body = body[:at] + (b"" if how == "drop" else new) + body[rest:]
    return body


def _merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


class _Values:
    """Values of messages and fields, by the rules that the contract has for them."""

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known

    def messages(self, kind: Descriptor, depth: int = 0) -> Strategy:
        """Messages with what is required in them, and most often with the rest."""
        make = message_factory.GetMessageClass(kind)
        needed: dict[str, Strategy] = {}
        optional: dict[str, Strategy] = {}
        choices: list[FieldDescriptor] = []
        for field in kind.fields:
            if field.message_type is not None and depth >= MAX_DEPTH:
                continue
            oneof = field.containing_oneof
            if oneof is not None and len(oneof.fields) > 1:
                choices.append(field)
            else:
                group = needed if _is_needed(field) else optional
                group[field.name] = self._field(field, depth)
        parts: list[Strategy] = [
            _mostly(st.fixed_dictionaries(needed), st.fixed_dictionaries({}, optional=needed)),
            st.fixed_dictionaries({}, optional=optional),
        ]
        if choices:
            one = [st.fixed_dictionaries({f.name: self._field(f, depth)}) for f in choices]
            parts.append(_mostly(st.one_of(one), st.just({})))
        return st.builds(_merged, *parts).map(lambda values: make(**values))

    def _field(self, field: FieldDescriptor, depth: int) -> Strategy:
        if field.message_type is not None:
            well_known = self._well_known(field)
            deeper = self.messages(field.message_type, depth + 1)
            one = deeper if well_known is None else well_known
        else:
            rules = _rules(field).repeated.items if field.is_repeated else _rules(field)
            one = _mostly(self._right(field, rules), _odd(field))
        if not field.is_repeated:
            return one
        least = _rules(field).repeated.min_items
        several = st.lists(one, min_size=least, max_size=MAX_REPEATED)
        return _mostly(several, st.lists(one, max_size=MAX_REPEATED * 2))

    def _well_known(self, field: FieldDescriptor) -> Strategy | None:
        """Times and masks, whose rules are in no annotation."""
        assert field.message_type is not None
        make = message_factory.GetMessageClass(field.message_type)
        nanos = st.integers(0, 999_999_999)
        any_nanos = _mostly(nanos, st.sampled_from(INTEGERS).filter(lambda n: abs(n) < 2**31))
        match field.message_type.name:
            case "Timestamp":
                seconds = st.integers(0, LAST_SECOND)
            case "Duration":
                seconds = st.integers(0, 600)
            case "FieldMask":
                assert field.containing_type is not None
                resource = field.containing_type.fields[0].message_type
                assert resource is not None
                paths = st.sampled_from([inner.name for inner in resource.fields])
                odd = st.sampled_from([*TEXTS, "*", "spec.name", "spec.steps"])
                return st.builds(make, paths=st.lists(_mostly(paths, odd, 8), max_size=3))
            case _:
                return None
        any_seconds = _mostly(seconds, st.sampled_from(INTEGERS))
        return st.builds(make, seconds=any_seconds, nanos=any_nanos)

    def _right(self, field: FieldDescriptor, rules: Any) -> Strategy:
        kinds = FieldDescriptor
        match field.cpp_type:
            case kinds.CPPTYPE_BOOL:
                return st.booleans()
            case kinds.CPPTYPE_ENUM:
                assert field.enum_type is not None
                return st.sampled_from([v.number for v in field.enum_type.values if v.number])
            case kinds.CPPTYPE_INT32 | kinds.CPPTYPE_INT64:
                limits = rules.int64 if field.cpp_type == kinds.CPPTYPE_INT64 else rules.int32
                return st.integers(limits.gte, limits.lte or 1000)
            case kinds.CPPTYPE_STRING if field.type == kinds.TYPE_STRING:
                return self._right_text(field, rules.string)
        raise NotImplementedError(f"{field.full_name}: no values of such a field are made yet")

    def _right_text(self, field: FieldDescriptor, rules: Any) -> Strategy:
        if field.full_name.endswith((".WorkflowStep.name", ".depends_on", ".ExecutionStep.name")):
            return st.sampled_from(STEPS)
        if field.name in ("etag", "page_token"):
            return st.just("")
        if getattr(rules, "in"):
            return st.sampled_from(list(getattr(rules, "in")))
        if not rules.pattern:
            return st.text(_TEXT, min_size=rules.min_len, max_size=30)
        if "_[0-7]" in rules.pattern and not _is_new(field):
            known = [one for one in self._known if re.search(rules.pattern, one)]
            if known:
                return _mostly(st.sampled_from(known), _matching(rules.pattern), 4)
        return _matching(rules.pattern).filter(lambda text: len(text) >= rules.min_len)


def _matching(pattern: str) -> Strategy:
    """Texts that match a pattern of RE2, in Python's words."""
    python = (
        pattern.replace(r"\P{Cc}*", f"[^{_CONTROLS}]{{0,9}}")
        .replace(r"\p{Cc}", _CONTROLS)
        .replace(r"\p{Z}", r"\s\xa0\u2028\u2029")
    )
    return st.from_regex(python.removeprefix("^").removesuffix("$"), fullmatch=True, alphabet=_TEXT)


def _odd(field: FieldDescriptor) -> Strategy:
    kinds = FieldDescriptor
    match field.cpp_type:
        case kinds.CPPTYPE_BOOL:
            return st.booleans()
        case kinds.CPPTYPE_ENUM:
            return st.sampled_from([0, -1, 4242])  # protobuf keeps numbers that it does not know
        case kinds.CPPTYPE_INT32:
            return st.sampled_from([n for n in INTEGERS if abs(n) < 2**31])
        case kinds.CPPTYPE_INT64:
            return st.sampled_from(INTEGERS)
    return st.sampled_from(TEXTS) | st.text(_TEXT, max_size=20)


def _is_new(field: FieldDescriptor) -> bool:
    """True of the id that something is to be given, as in `CreateUserRequest.user_id`."""
    assert field.containing_type is not None
    makes = re.fullmatch(r"(?:Create|Start|Install)(\w+)Request", field.containing_type.name)
    return makes is not None and field.name == f"{makes[1].lower()}_id"


def _rules(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def _is_needed(field: FieldDescriptor) -> bool:
    rules = _rules(field)
    if rules.required or rules.repeated.min_items:
        return True
    text = rules.string
    optional = rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
    # A pattern that the empty text does not match.
    asks = text.min_len or (text.pattern and not text.pattern.endswith("*$"))
    return bool((asks or rules.enum.not_in) and not optional) or field.name in (
        "name",
        "steps",
        "spec",
    )
