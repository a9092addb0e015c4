"""The one decision that every action on the audit log begins with."""

from __future__ import annotations

from symphony_server.access.decisions import decide
from symphony_server.access.permissions import NO_FACTS
from symphony_server.use_cases.call import Call


def decide_audit_read(call: Call) -> None:
    """Decide that the user may read the audit log. Raises Refused when it may not."""
    call.judgement.decided(decide("audit.read", call.caller.user, NO_FACTS))
    call.judgement.conclude()
