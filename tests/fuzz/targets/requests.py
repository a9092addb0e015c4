"""The bytes of a request of any RPC, as far as they are looked at before anything is stored.

The first byte says of which RPC; the rest is the request.
"""

from __future__ import annotations

from typing import Any, Final

from google.api import field_behavior_pb2
from google.protobuf import json_format

from symphony_server.refusal import Refused
from symphony_server.rpc.errors import MAX_STATUS_BYTES, status_of
from symphony_server.rpc.methods import read_methods
from symphony_server.rpc.operations import TRANSACTION, Operations
from symphony_server.rpc.structure import Structure
from tests.e2e.wire import tells_insides

MAX_BYTES: Final = 4096
METHODS: Final = sorted(read_methods().items())
_STRUCTURES: Final = [Structure(method) for _, method in METHODS]
_OPERATIONS: Final = Operations()


def try_one(data: bytes) -> None:
    """Parse and check the request; it is one, or is refused with all that is wrong."""
    which = (data[0] if data else 0) % len(METHODS)
    name, method = METHODS[which]
    try:
        request = _STRUCTURES[which].parse(data[1:])
        _STRUCTURES[which].check(request)
        if name == TRANSACTION:
            _OPERATIONS.check(request)
    except Refused as refused:
        _is_told(refused)
        return
    written = request.SerializeToString()
    assert method.request_class.FromString(written) == request
    _drop_what_is_not_kept(request)
    json_format.MessageToJson(request)


def _drop_what_is_not_kept(message: Any) -> None:
    """Clear what the server alone says, and takes from nobody: its rules are not looked at."""
    for field, value in message.ListFields():
        behavior = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        if field_behavior_pb2.OUTPUT_ONLY in behavior:
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                _drop_what_is_not_kept(part)


def _is_told(refused: Refused) -> None:
    assert refused.first.reason_name.startswith(("FIELD_", "UPDATE_MASK_")), refused.first
    status = status_of(refused, request_id="r" * 64, decision_id="")
    assert status.message
    assert len(status.details) <= MAX_STATUS_BYTES
    for violation in refused.violations:
        assert not tells_insides(f"{violation.field} {violation.description}"), violation
