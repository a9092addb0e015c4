"""What visitors do. Each act leaves on the server what it found there, audit records aside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.access_service_pb2 import (
    AccessCheck,
    CheckAccessRequest,
    CreateTokenRequest,
    RevokeTokenRequest,
    WhoAmIRequest,
)
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_service_pb2 import CancelExecutionRequest, StartExecutionRequest
from symphony.v1.extension_service_pb2 import InstallExtensionRequest, UninstallExtensionRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec
from symphony.v1.workflow_service_pb2 import (
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_server.access.credentials import new_secret
from tests.soak.visitor import OWN_CONNECTION, TIMEOUT_SECONDS, Visitor

Act = Callable[[Visitor], Awaitable[None]]
CREATE: Final = "/symphony.v1.WorkflowService/CreateWorkflow"
NOT_HTTP2: Final = (b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0", b"\x16\x03\x01" + b"\xff" * 99)
CHANGES_SEEN: Final = 20
WATCH_SECONDS: Final = 3.0


async def read(visitor: Visitor) -> None:
    """Get a workflow and a page of them."""
    workflow = random.choice(visitor.standing)  # noqa: S311 - any will do
    for _ in range(4):
        await visitor.call(visitor.workflows.GetWorkflow, GetWorkflowRequest(id=workflow.id))
    page = ListWorkflowsRequest(project_id=visitor.project.id, page_size=5)
    listed = await visitor.call(visitor.workflows.ListWorkflows, page)
    if listed.next_page_token:
        page.page_token = listed.next_page_token
        await visitor.call(visitor.workflows.ListWorkflows, page)


async def live(visitor: Visitor) -> None:
    """A workflow from its creation to its end, with an execution."""
    stub = visitor.workflows
    request = visitor.new_workflow(request_id=visitor.name().replace(" ", "-"))
    made = await visitor.call(stub.CreateWorkflow, request)
    changed = await visitor.call(stub.UpdateWorkflow, _sharing(made))
    await visitor.refused(grpc.StatusCode.ABORTED, stub.UpdateWorkflow, _sharing(made))
    execution = await visitor.call(
        visitor.executions.StartExecution, StartExecutionRequest(workflow_id=made.id)
    )
    await visitor.refused(
        grpc.StatusCode.FAILED_PRECONDITION, stub.DeleteWorkflow, DeleteWorkflowRequest(id=made.id)
    )
    await visitor.call(visitor.executions.CancelExecution, CancelExecutionRequest(id=execution.id))
    await visitor.call(stub.DeleteWorkflow, DeleteWorkflowRequest(id=made.id, etag=changed.etag))


def _sharing(workflow: Workflow) -> UpdateWorkflowRequest:
    changed = Workflow(id=workflow.id, shared=not workflow.shared, etag=workflow.etag)
    return UpdateWorkflowRequest(workflow=changed, update_mask=FieldMask(paths=["shared"]))


async def transact(visitor: Visitor) -> None:
    """Make several workflows as one, and remove them as one."""
    execute = visitor.transactions.ExecuteTransaction
    creates = [TransactionOperation(create_workflow=visitor.new_workflow()) for _ in range(3)]
    done = await visitor.call(execute, ExecuteTransactionRequest(operations=creates))
    twice = ExecuteTransactionRequest(operations=creates[:1])
    await visitor.refused(grpc.StatusCode.ALREADY_EXISTS, execute, twice)
    deletes = [
        TransactionOperation(delete_workflow=DeleteWorkflowRequest(id=result.workflow.id))
        for result in done.results
    ]
    await visitor.call(execute, ExecuteTransactionRequest(operations=deletes))


async def extend(visitor: Visitor) -> None:
    """Install an extension, whose manifest is scanned, and uninstall it."""
    manifest = {
        "name": visitor.name().replace(" ", "-"),
        "version": "1.0.0",
        "type": "operator",
        "publisher": "Nimbus Tools",
        "entry_point": "dist/main.js",
    }
    request = InstallExtensionRequest(project_id=visitor.project.id, manifest=json.dumps(manifest))
    made = await visitor.call(visitor.extensions.InstallExtension, request)
    await visitor.call(visitor.extensions.UninstallExtension, UninstallExtensionRequest(id=made.id))
    request.manifest = "{" * 1000
    install = visitor.extensions.InstallExtension
    await visitor.refused(grpc.StatusCode.INVALID_ARGUMENT, install, request)


async def identify(visitor: Visitor) -> None:
    """Make a token, use it, revoke it; ask what one may do."""
    created = await visitor.call(visitor.access.CreateToken, CreateTokenRequest(name="soak"))
    own = (("authorization", f"Bearer {created.secret}"),)
    await visitor.call(visitor.access.WhoAmI, WhoAmIRequest(), own)
    checks = [AccessCheck(permission="workflows.update", resource_id=visitor.standing[0].id)]
    await visitor.call(visitor.access.CheckAccess, CheckAccessRequest(checks=checks))
    await visitor.call(visitor.access.RevokeToken, RevokeTokenRequest(id=created.token.id))
    unauthenticated = grpc.StatusCode.UNAUTHENTICATED
    await visitor.refused(unauthenticated, visitor.access.WhoAmI, WhoAmIRequest(), own)


async def be_refused(visitor: Visitor) -> None:
    """Ask for what is not given: hidden, wrong, and by nobody."""
    stub, code = visitor.workflows, grpc.StatusCode
    absent = GetWorkflowRequest(id="workflow_01jz000000e00000000000000a")
    await visitor.refused(code.NOT_FOUND, stub.GetWorkflow, absent)
    cycle = visitor.new_workflow()
    cycle.spec.steps[0].depends_on.append(cycle.spec.steps[-1].name)
    await visitor.refused(code.INVALID_ARGUMENT, stub.CreateWorkflow, cycle)
    await visitor.refused(code.INVALID_ARGUMENT, stub.GetWorkflow, GetWorkflowRequest(id="?"))
    page = ListWorkflowsRequest(page_token="A" * 60)
    await visitor.refused(code.INVALID_ARGUMENT, stub.ListWorkflows, page)
    for credentials in ((), (("authorization", f"Bearer {new_secret()}"),)):
        await visitor.refused(code.UNAUTHENTICATED, stub.GetWorkflow, absent, credentials)


async def send_garbage(visitor: Visitor) -> None:
    """Send bytes that are no message, in a call and in place of HTTP/2."""
    raw: Any = visitor.channel.unary_unary(CREATE)
    for length in (1, 200, 20_000):
        body = b"\x0a\xff" + os.urandom(length)
        await visitor.refused(grpc.StatusCode.INVALID_ARGUMENT, raw, body)
    await visitor.pace.turn()
    host, _, port = visitor.target.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(random.choice(NOT_HTTP2))  # noqa: S311
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def give_up(visitor: Visitor) -> None:
    """Leave calls before they are answered: by deadline, by cancelling, by hanging up."""
    workflow = random.choice(visitor.standing)  # noqa: S311
    update = UpdateWorkflowRequest(
        workflow=Workflow(id=workflow.id, spec=WorkflowSpec(description=visitor.name())),
        update_mask=FieldMask(paths=["spec.description"]),
    )
    for timeout_seconds in (0.0005, 0.002):
        await visitor.pace.turn()
        await _end(
            visitor.workflows.UpdateWorkflow(
                update, metadata=visitor.metadata, timeout=timeout_seconds
            )
        )
    await visitor.pace.turn()
    call = visitor.workflows.UpdateWorkflow(update, metadata=visitor.metadata)
    await asyncio.sleep(0.001)
    call.cancel()
    await _end(call)
    await visitor.pace.turn()
    async with grpc.aio.insecure_channel(visitor.target, OWN_CONNECTION) as channel:
        method: Any = channel.unary_unary(
            "/symphony.v1.WorkflowService/UpdateWorkflow",
            request_serializer=UpdateWorkflowRequest.SerializeToString,
        )
        hung_up = method(update, metadata=visitor.metadata)
        await asyncio.sleep(0.003)
    await _end(hung_up)


async def _end(call: Any) -> None:
    """Wait for a call that may be answered or not."""
    try:
        await asyncio.wait_for(call, TIMEOUT_SECONDS)
    except asyncio.CancelledError:
        if not call.cancelled():
            raise
    except grpc.aio.AioRpcError as error:
        expected = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
        if error.code() not in expected:
            raise


async def watch(visitor: Visitor) -> None:
    """Follow the changes for a while over a connection of one's own; leave in one way or other."""
    await visitor.pace.turn()
    way = random.choice(("cancel", "deadline", "hang up"))  # noqa: S311
    channel = grpc.aio.insecure_channel(visitor.target, OWN_CONNECTION)
    method: Any = channel.unary_stream(
        "/symphony.v1.ChangeService/Watch", request_serializer=WatchRequest.SerializeToString
    )
    timeout_seconds = WATCH_SECONDS / 2 if way == "deadline" else None
    call = method(WatchRequest(), metadata=visitor.metadata, timeout=timeout_seconds)
    try:
        async with asyncio.timeout(WATCH_SECONDS):
            for _ in range(CHANGES_SEEN):
                if await call.read() is grpc.aio.EOF:
                    break
        if way == "cancel":
            call.cancel()
    except TimeoutError:
        call.cancel()
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
    finally:
        await channel.close()


ACTS: Final[Mapping[Act, float]] = {
    read: 5,
    live: 3,
    transact: 1,
    extend: 0.5,
    identify: 0.5,
    be_refused: 1.5,
    send_garbage: 1,
    give_up: 1,
    watch: 1,
}
"""Each act, and how often it is done among the others."""
