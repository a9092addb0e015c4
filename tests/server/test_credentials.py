from __future__ import annotations

import time

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from symphony.v1.access_pb2 import CredentialKind
from symphony.v1.access_service_pb2 import (
    CreateTokenRequest,
    ListTokensRequest,
    RevokeTokenRequest,
    WhoAmIRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import CreateProjectRequest, ListProjectsRequest
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.user_pb2 import Role, Tier, User, UserState
from symphony.v1.user_service_pb2 import UpdateUserRequest
from symphony_server.ids import new_id
from tests import engines
from tests.server.world import Person, World

ENGINES = engines.ALL


def as_bearer(person: Person, secret: str) -> Person:
    return Person(person.channel, secret, person.user)


def test_who_am_i_tells_user_credential_and_scopes(world: World) -> None:
    person = world.user(scopes=["access.", "projects.list"])
    me = person.get(person.access.WhoAmI, WhoAmIRequest())
    assert me.user == me.caller == person.user
    assert me.credential_kind == CredentialKind.CREDENTIAL_KIND_TOKEN
    assert list(me.token.scopes) == ["access.", "projects.list"]


def test_a_token_may_be_used_for_its_scopes_only(world: World) -> None:
    person = world.user(scopes=["access.", "projects.list"])
    assert person.get(person.projects.ListProjects, ListProjectsRequest()) is not None
    refusal = person.refused(person.projects.CreateProject, CreateProjectRequest(name="X"))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "TOKEN_SCOPE_REQUIRED",
    )
    assert refusal.metadata["permission"] == "projects.create"


def test_a_token_makes_no_token_that_may_do_more(world: World) -> None:
    person = world.user(scopes=["tokens.", "workflows.read"])
    less = CreateTokenRequest(name="less", scopes=["workflows.read"])
    more = CreateTokenRequest(name="more", scopes=["workflows."])
    everything = CreateTokenRequest(name="all")
    assert person.get(person.access.CreateToken, less).secret
    for request in (more, everything):
        refusal = person.refused(person.access.CreateToken, request)
        assert refusal.reason == "TOKEN_SCOPE_REQUIRED"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer nonsense",
        "Bearer sym_" + "0" * 49,
        "Basic abc",
        "",
        "Bearer ",
        "Bearer sym_" + "0" * 4000,
    ],
)
def test_a_credential_that_is_none_is_refused(world: World, header: str) -> None:
    nobody = world.stranger
    refusal = nobody.refused(
        nobody.projects.ListProjects, ListProjectsRequest(), ("authorization", header)
    )
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "CREDENTIALS_INVALID",
    )


def test_a_call_without_credentials_is_told_to_send_some(world: World) -> None:
    nobody = world.stranger
    refusal = nobody.refused(nobody.projects.ListProjects, ListProjectsRequest())
    assert refusal.reason == "CREDENTIALS_MISSING"
    assert "authorization: Bearer" in refusal.message


def test_server_info_needs_no_credentials(world: World) -> None:
    info = world.stranger.get(world.stranger.info.GetServerInfo, GetServerInfoRequest())
    assert info.contract_version == "symphony.v1"
    assert "symphony.v1.WorkflowService" in info.capabilities
    assert info.limits.max_request_bytes == 4 * 1024 * 1024
    free = info.limits.tiers[0]
    assert (free.tier, free.max_workflows, free.requests_per_second) == (Tier.TIER_FREE, 10, 50)


def test_a_revoked_token_is_refused_from_the_next_call_on(world: World) -> None:
    person = world.user()
    made = person.get(person.access.CreateToken, CreateTokenRequest(name="short-lived"))
    bearer = as_bearer(person, made.secret)
    bearer.get(bearer.projects.ListProjects, ListProjectsRequest())

    person.get(person.access.RevokeToken, RevokeTokenRequest(id=made.token.id))

    refusal = bearer.refused(bearer.projects.ListProjects, ListProjectsRequest())
    assert refusal.reason == "CREDENTIALS_INVALID"


def test_an_expired_token_is_told_from_an_unknown_one(world: World) -> None:
    person = world.user()
    soon = Timestamp()
    soon.FromNanoseconds(time.time_ns() + 1_500_000_000)
    made = person.get(person.access.CreateToken, CreateTokenRequest(name="brief", expire_time=soon))
    bearer = as_bearer(person, made.secret)
    deadline = time.monotonic() + 10
    while time.time_ns() <= soon.ToNanoseconds() and time.monotonic() < deadline:
        bearer.get(bearer.info.GetServerInfo, GetServerInfoRequest())
    refusal = bearer.refused(bearer.projects.ListProjects, ListProjectsRequest())
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "CREDENTIALS_EXPIRED",
    )


def test_a_token_that_ends_in_the_past_is_not_made(world: World) -> None:
    person = world.user()
    request = CreateTokenRequest(name="late", expire_time=Timestamp(seconds=1))
    refusal = person.refused(person.access.CreateToken, request)
    assert "expire_time" in refusal.fields


def test_tokens_are_made_listed_and_revoked_for_oneself(world: World) -> None:
    one, other, admin = world.user(), world.user(), world.admin
    made = one.get(one.access.CreateToken, CreateTokenRequest(name="mine"))

    listed = one.get(one.access.ListTokens, ListTokensRequest()).tokens
    assert made.token.id in {token.id for token in listed}
    for_other = CreateTokenRequest(name="x", user_id=one.id)
    assert other.refused(other.access.CreateToken, for_other).reason == "ROLE_REQUIRED"
    list_other = ListTokensRequest(user_id=one.id)
    assert other.refused(other.access.ListTokens, list_other).reason == "ROLE_REQUIRED"
    revoke = RevokeTokenRequest(id=made.token.id)
    assert other.refused(other.access.RevokeToken, revoke).code == grpc.StatusCode.NOT_FOUND
    assert admin.get(admin.access.ListTokens, list_other).tokens
    admin.get(admin.access.RevokeToken, revoke)


def test_a_retried_creation_does_not_show_the_secret_again(world: World) -> None:
    person = world.user()
    request = CreateTokenRequest(name="once", request_id="r")
    first = person.get(person.access.CreateToken, request)
    second = person.get(person.access.CreateToken, request)
    assert first.secret
    assert not second.secret
    assert first.token == second.token
    assert first.token.id.encode() in world.stored_bytes()
    assert first.secret.encode() not in world.stored_bytes()


def test_a_service_acts_for_a_user_and_the_record_names_both(world: World) -> None:
    user, service = world.user(), world.user(Role.ROLE_SERVICE)
    acting = service.acting_as(user.id)
    answer = acting.ask(acting.projects.CreateProject, CreateProjectRequest(name="For them"))

    assert answer.response.owner_id == user.id
    record = world.audit(lambda r: r.id == answer.decision_id)[0]
    assert (record.caller_id, record.user_id) == (service.id, user.id)
    refusal = service.refused(service.projects.CreateProject, CreateProjectRequest(name="X"))
    assert refusal.reason == "ROLE_REQUIRED"


def test_an_admin_who_acts_for_a_user_may_do_what_the_user_may(world: World) -> None:
    owner, viewer = world.user(), world.user(Role.ROLE_VIEWER)
    project = world.project(owner)
    world.join(project, viewer, ProjectRole.PROJECT_ROLE_VIEWER)
    acting = world.admin.acting_as(viewer.id)
    refusal = acting.refused(acting.workflows.CreateWorkflow, world.new_workflow(project.id))
    assert refusal.reason == "ROLE_REQUIRED"


def test_only_service_and_admin_act_for_others(world: World) -> None:
    one, other = world.user(), world.user()
    acting = one.acting_as(other.id)
    assert acting.refused(acting.access.WhoAmI, WhoAmIRequest()).reason == "ACT_AS_NOT_ALLOWED"
    itself = one.acting_as(one.id)
    assert itself.get(itself.access.WhoAmI, WhoAmIRequest()).user == one.user


def test_one_may_not_act_for_a_suspended_or_absent_user(world: World) -> None:
    admin, person = world.admin, world.user()
    admin.get(
        admin.users.UpdateUser,
        UpdateUserRequest(user=User(id=person.id, state=UserState.USER_STATE_SUSPENDED)),
    )
    suspended, absent = admin.acting_as(person.id), admin.acting_as(new_id("user"))
    nonsense = admin.acting_as("root")
    assert suspended.refused(suspended.access.WhoAmI, WhoAmIRequest()).reason == "USER_SUSPENDED"
    assert absent.refused(absent.access.WhoAmI, WhoAmIRequest()).reason == "ACT_AS_NOT_ALLOWED"
    assert nonsense.refused(nonsense.access.WhoAmI, WhoAmIRequest()).reason == "FIELD_INVALID"


def test_other_metadata_that_names_an_identity_is_refused_not_ignored(world: World) -> None:
    admin = world.admin
    refusal = admin.refused(
        admin.access.WhoAmI, WhoAmIRequest(), ("x-symphony-user-id", world.user().id)
    )
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "ACT_AS_NOT_ALLOWED",
    )


def test_the_last_use_of_a_token_is_noted(world: World) -> None:
    person = world.user()
    person.get(person.projects.ListProjects, ListProjectsRequest())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        tokens = person.get(person.access.ListTokens, ListTokensRequest()).tokens
        if tokens[0].HasField("last_used_time"):
            return
    raise AssertionError("never noted")
