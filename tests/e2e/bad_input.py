"""Sends bad input, which must be refused."""

from __future__ import annotations

from typing import Any

import grpc

from tests.e2e.place import Place
from tests.server.world import Refusal

CREATE = "symphony.v1.WorkflowService/CreateWorkflow"
GET = "symphony.v1.WorkflowService/GetWorkflow"
UPDATE = "symphony.v1.WorkflowService/UpdateWorkflow"
LIST = "symphony.v1.WorkflowService/ListWorkflows"
WHO_AM_I = "symphony.v1.AccessService/WhoAmI"


def refused(place: Place, method: str, request: Any) -> Refusal:
    body = request if isinstance(request, bytes) else request.SerializeToString()
    refusal = place.wire.send(method, body)
    assert refusal is not None, "it was allowed"
    return refusal


def invalid(place: Place, method: str, request: Any) -> dict[str, str]:
    """Field → rule, of a request that breaks the contract's rules."""
    refusal = refused(place, method, request)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    return refusal.fields
