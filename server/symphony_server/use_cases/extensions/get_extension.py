"""Gets an extension."""

from __future__ import annotations

from functools import partial

from symphony.v1.extension_pb2 import Extension
from symphony.v1.extension_service_pb2 import GetExtensionRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.refusal import not_found
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call


def get_extension(snapshot: Snapshot, call: Call, request: GetExtensionRequest) -> Extension:
    """The extension with the id."""
    return permitted_extension(snapshot, call, "extensions.read", request.id, field="id")


def permitted_extension(
    snapshot: Snapshot, call: Call, permission: str, extension_id: str, *, field: str
) -> Extension:
    """An extension, once it is decided that the caller has a permission on it.

    Ends the judgement's stage: raises Refused when the caller has not.
    """
    call.resource_id = extension_id
    extension, relation = snapshot.extensions.get(extension_id, call.caller.user.id)
    facts = None if extension is None else Facts(relation=relation)
    absent = partial(not_found, "extension", extension_id, field=field)
    decision = decide(permission, call.caller.user, facts)
    extension = call.judgement.existing(decision, extension, absent)
    call.judgement.end_stage()
    return extension
