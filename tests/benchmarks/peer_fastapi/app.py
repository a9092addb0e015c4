"""Get, list and create workflows with FastAPI, pydantic and SQLAlchemy, as their manuals do it.

What the server checks is checked: the token by its SHA-256, role and relation, the tier's and the
project's limits, every rule of a field and of the graph, that the name is free. A create writes the
workflow, a change and an audit record in one transaction. Left out, in its favour: scopes, the
audit log's hash tree, retries by `request_id`, fields' violations told all at once.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from unicodedata import normalize

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine, and_, exists, or_, select, tuple_
from sqlalchemy.orm import Session, sessionmaker

from symphony_server.ids import new_id
from tests.benchmarks.peer_fastapi import schemas, tables

ENTERPRISE, DEVELOPER, AUDITOR = 3, 1, 2
COLLABORATOR, OWNER = 2, 3
MAX_WORKFLOWS = {1: 10, 2: 100}
MAX_STEPS = {1: 10, 2: 100}
WORKFLOW, CREATED = 3, 1
bearer = HTTPBearer()


@dataclass(frozen=True)
class Database:
    """Sessions to read, and to write one at a time: SQLite has one writer, and those who wait for
    a lock here wait in order and cost nothing.
    """

    reading: sessionmaker[Session]
    writing: sessionmaker[Session]
    lock: threading.Lock


def reading(request: Request) -> Iterator[Session]:
    with request.app.state.database.reading() as session:
        yield session


def caller(
    session: Annotated[Session, Depends(reading)],
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> tables.User:
    """The user whose token it is."""
    secret_hash = hashlib.sha256(credentials.credentials.encode()).digest()
    user = session.scalar(
        select(tables.User)
        .join(tables.Token, tables.Token.user_id == tables.User.id)
        .where(tables.Token.secret_hash == secret_hash, tables.Token.expire_time > now_us())
    )
    if user is None:
        raise HTTPException(401, "the token is not known, or has expired")
    return user


Reading = Annotated[Session, Depends(reading)]
Caller = Annotated[tables.User, Depends(caller)]


def make_app(engine: Engine) -> FastAPI:
    """The application on a database."""
    app = FastAPI()
    app.state.database = Database(
        sessionmaker(engine),
        sessionmaker(engine.execution_options(writes=True), expire_on_commit=False),
        threading.Lock(),
    )
    app.get("/workflows/{workflow_id}")(get_workflow)
    app.get("/workflows")(list_workflows)
    app.post("/workflows", status_code=201)(create_workflow)
    return app


def get_workflow(session: Reading, user: Caller, workflow_id: str) -> schemas.Workflow:
    found = session.execute(
        select(tables.Workflow, tables.ProjectMember.role)
        .outerjoin(
            tables.ProjectMember,
            and_(
                tables.ProjectMember.project_id == tables.Workflow.project_id,
                tables.ProjectMember.user_id == user.id,
            ),
        )
        .where(tables.Workflow.id == workflow_id)
    ).first()
    if found is None or not _may_read(user, *found.tuple()):
        raise HTTPException(404, f"there is no workflow {workflow_id}")
    return schemas.Workflow.model_validate(found[0])


def list_workflows(
    session: Reading, user: Caller, page_size: int = 50, after: str | None = None
) -> schemas.WorkflowPage:
    workflow, member = tables.Workflow, tables.ProjectMember
    query = select(workflow).order_by(workflow.create_time.desc(), workflow.id.desc())
    if not user.roles & AUDITOR:
        seen = exists().where(
            member.project_id == workflow.project_id,
            member.user_id == user.id,
            or_(member.role == OWNER, workflow.shared),
        )
        query = query.where(or_(workflow.user_id == user.id, seen))
    if after is not None:
        made, _, last = after.partition(",")
        query = query.where(tuple_(workflow.create_time, workflow.id) < (int(made), last))
    found = session.scalars(query.limit(page_size + 1)).all()
    page = found[:page_size]
    more = f"{page[-1].create_time},{page[-1].id}" if len(found) > page_size else None
    return schemas.WorkflowPage(
        workflows=[schemas.Workflow.model_validate(each) for each in page], next=more
    )


def create_workflow(
    request: Request, session: Reading, user: Caller, asked: schemas.CreateWorkflow
) -> schemas.Workflow:
    database: Database = request.app.state.database
    session.close()  # or its snapshot, while this waits, would keep the log from being emptied
    if not user.roles & DEVELOPER:
        raise HTTPException(403, "this needs the role DEVELOPER")
    if len(asked.spec.steps) > MAX_STEPS.get(user.tier, 1000):
        raise HTTPException(400, "the tier allows fewer steps")
    with database.lock, database.writing.begin() as writing:
        owner = writing.get_one(tables.User, user.id)
        project = writing.get(tables.Project, asked.project_id)
        member = writing.get(tables.ProjectMember, (asked.project_id, user.id))
        if project is None or member is None:
            raise HTTPException(404, f"there is no project {asked.project_id}")
        if member.role < COLLABORATOR:
            raise HTTPException(403, "this needs the relation COLLABORATOR")
        if owner.workflows_owned >= MAX_WORKFLOWS.get(owner.tier, 1 << 62):
            raise HTTPException(429, "the tier allows no more workflows")
        if project.max_workflows and project.workflow_count >= project.max_workflows:
            raise HTTPException(429, "the project allows no more workflows")
        key = normalize("NFKC", normalize("NFKC", asked.spec.name).casefold())
        named = select(tables.Workflow.id).where(
            tables.Workflow.project_id == project.id, tables.Workflow.name_key == key
        )
        if writing.scalar(named) is not None:
            raise HTTPException(409, "the name is taken")
        workflow = _new_workflow(owner, asked, key)
        answer = schemas.Workflow.model_validate(workflow)
        owner.workflows_owned += 1
        project.workflow_count += 1
        writing.add_all([workflow, *_records(owner, workflow, answer)])
    return answer


def _new_workflow(owner: tables.User, asked: schemas.CreateWorkflow, key: str) -> tables.Workflow:
    made = now_us()
    return tables.Workflow(
        id=asked.workflow_id or new_id("workflow"),
        project_id=asked.project_id,
        user_id=owner.id,
        name_key=key,
        spec=asked.spec.model_dump(),
        compute_units=sum(step.compute_units for step in asked.spec.steps),
        estimated_duration_us=asked.spec.critical_path_us(),
        shared=asked.shared,
        status=1,
        create_time=made,
        update_time=made,
    )


def _records(
    owner: tables.User, workflow: tables.Workflow, answer: schemas.Workflow
) -> tuple[tables.Change, tables.AuditEntry]:
    change = tables.Change(
        kind=WORKFLOW,
        operation=CREATED,
        resource_id=workflow.id,
        project_id=workflow.project_id,
        time=workflow.create_time,
        resource=answer.model_dump(),
    )
    record = tables.AuditEntry(
        id=new_id("audit"),
        time=workflow.create_time,
        user_id=owner.id,
        resource_id=workflow.id,
        method="CreateWorkflow",
        evaluation={"role.allows": True, "project.relation": True, "tier.workflow_limit": True},
    )
    return change, record


def _may_read(user: tables.User, workflow: tables.Workflow, role: int | None) -> bool:
    return (
        workflow.user_id == user.id
        or role == OWNER
        or (role is not None and workflow.shared)
        or bool(user.roles & AUDITOR)
    )


def now_us() -> int:
    return time.time_ns() // 1000


def seed(engine: Engine, secret: str) -> dict[str, Any]:
    """A developer with a token and a project, as ids by name."""
    user = tables.User(
        id=new_id("user"),
        email="bench@localhost",
        name="Bench",
        tier=ENTERPRISE,
        roles=DEVELOPER,
        workflows_owned=0,
    )
    project = tables.Project(
        id=new_id("project"), owner_id=user.id, name="Bench", max_workflows=0, workflow_count=0
    )
    token = tables.Token(
        id=new_id("token"),
        user_id=user.id,
        secret_hash=hashlib.sha256(secret.encode()).digest(),
        expire_time=1 << 62,
    )
    member = tables.ProjectMember(project_id=project.id, user_id=user.id, role=OWNER)
    ids = {"project_id": project.id, "user_id": user.id}
    with Session(engine) as session, session.begin():
        session.add_all([user, project, token, member])
    return ids
