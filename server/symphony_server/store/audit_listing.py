"""How the audit log may be listed."""

from __future__ import annotations

from symphony.v1.audit_pb2 import AuditOutcome
from symphony_server.store.lists import Listing, Order
from symphony_server.store.tables import AuditEntry as T

AUDIT_RECORDS = Listing(
    columns=(T.record,),
    filters={
        "user_id": lambda p: T.user_id == p,
        "resource_id": lambda p: T.resource_id == p,
        "method": lambda p: T.method == p,
        "reason": lambda p: T.reason == p,
        "after": lambda p: T.time >= p,
        "before": lambda p: T.time < p,
    },
    # NULL stands for what is ordinary (see `AuditEntry`).
    either={
        "caller_id": lambda p: (
            T.caller_id == p,
            T.caller_id.is_null() & (T.user_id == p),
        ),
        "outcome": lambda p: (
            T.outcome == p,
            T.outcome.is_null() & (p == AuditOutcome.AUDIT_OUTCOME_ALLOWED),
        ),
    },
    orders={
        "time": Order(T.time, T.sequence),
        "time desc": Order(T.time, T.sequence, descending=True),
    },
    default_order="time desc",
)
