"""One call, as the use cases see it: who asks for what, and what was decided so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symphony_server.access.caller import ANONYMOUS, Caller
from symphony_server.rules.tiers import TierTable
from symphony_server.use_cases.audit.signing import HeadSigner
from symphony_server.use_cases.judgement import Judgement
from symphony_server.use_cases.page_tokens import PageTokens


@dataclass(frozen=True, slots=True)
class Deployment:
    """What holds for every call of a running server."""

    tiers: TierTable
    page_tokens: PageTokens
    head_signer: HeadSigner
    services: tuple[str, ...] = ()
    """The full names of the services served."""


@dataclass(slots=True)
class Call:
    """One call."""

    method: str
    """The full name, for example `symphony.v1.WorkflowService/CreateWorkflow`."""
    permission: str
    """What the method needs, for example `workflows.create`."""
    deployment: Deployment
    request_id: str
    started_ns: int
    """When it came in, on the monotonic clock."""
    caller: Caller = ANONYMOUS
    request_bytes: bytes = b""
    request: Any = None
    """The parsed request, once it is known to keep to the contract."""
    update_paths: tuple[str, ...] = ()
    """What an update changes: the paths of its mask, resolved and known to be changeable."""
    operations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of a transaction: operation → the method and permission of the call it stands for."""
    operation_paths: tuple[tuple[str, ...], ...] = ()
    """Of a transaction: what each operation changes, as `update_paths`."""
    is_part: bool = False
    """True of an operation of a transaction: its record names the transaction's decision."""
    judgement: Judgement = field(default_factory=Judgement)
    resource_id: str = ""
    """What the call is about, for the record."""
    decision_id: str = ""
    """The audit record of the call, once there is one."""
    revision: int | None = None
    """The store's revision after the write, if it was one."""
