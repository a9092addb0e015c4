"""Which server is asked, with which credentials, and its services."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import typer

from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from symphony.v1.audit_service_pb2_grpc import AuditServiceStub
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.execution_service_pb2_grpc import ExecutionServiceStub
from symphony.v1.extension_service_pb2_grpc import ExtensionServiceStub
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.server_info_service_pb2_grpc import ServerInfoServiceStub
from symphony.v1.user_service_pb2_grpc import UserServiceStub
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client import connect, to_data_error
from symphony_client.settings import ClientSettings, SettingsInvalid
from symphony_command.asking import Asked, asked_of
from symphony_command.errors import CallFailed, UsageProblem
from symphony_command.profile_file import Profile, Profiles, read_profiles


@dataclass(frozen=True, slots=True)
class Server:
    """A server's services, each a generated stub on one channel."""

    target: str
    access: AccessServiceStub
    audits: AuditServiceStub
    changes: ChangeServiceStub
    executions: ExecutionServiceStub
    extensions: ExtensionServiceStub
    info: ServerInfoServiceStub
    projects: ProjectServiceStub
    users: UserServiceStub
    workflows: WorkflowServiceStub


@contextmanager
def connected(
    ctx: typer.Context, *, place_of: Callable[[str], str] | None = None
) -> Iterator[Server]:
    """The server that the options, the environment or a profile name, while the block runs.

    Raises:
        UsageProblem: what they say is no server, or no credential.
        CallFailed: a call in the block failed; `place_of` says where its fields were written.
    """
    arguments = channel_arguments(asked_of(ctx))
    try:
        channel = connect(**arguments)
    except (OSError, ValueError) as error:
        raise UsageProblem(
            str(error), "look at the options, the variables and the profile"
        ) from None
    try:
        yield _server(arguments["target"], channel)
    except grpc.RpcError as error:
        raise CallFailed(
            to_data_error(error), target=arguments["target"], place_of=place_of
        ) from error
    finally:
        channel.close()


def channel_arguments(asked: Asked) -> dict[str, Any]:
    """What `connect` is given: options win over variables, and variables over the profile.

    The profile's token and certificates go to the profile's own server only.
    """
    try:
        settings = ClientSettings.from_env()
    except SettingsInvalid as error:
        raise UsageProblem(str(error), "set the variable right, or unset it") from None
    said = settings.model_fields_set
    profile = chosen_profile(asked.profile, read_profiles())
    target = asked.server or (settings.server if "server" in said else "")
    if profile is None or (target and target != profile.server):
        profile = Profile(server=target or settings.server)
    certificates = ("tls_ca", "tls_cert", "tls_key")
    own = settings if said.intersection(certificates) else profile
    return {
        "target": profile.server,
        "token": _token(asked, settings, profile),
        "act_as": asked.act_as,
        "tls": profile.tls or None,
        **{name: getattr(own, name) or None for name in certificates},
        "timeout_seconds": settings.timeout_seconds,
        "retry_attempts": settings.retry_attempts,
        "prevalidation": settings.prevalidation == "on",
    }


def chosen_profile(name: str | None, profiles: Profiles) -> Profile | None:
    """The profile that is asked for, in the environment if not by name, else the current one."""
    wanted = name or os.environ.get("SYMPHONY_PROFILE") or profiles.current
    if not wanted:
        return None
    if wanted not in profiles.by_name:
        raise UsageProblem(
            f"there is no profile {wanted!r}",
            "make it with symphony profile add, or take one of those above"
            if profiles.by_name
            else "make it: symphony profile add NAME --server HOST:PORT --token-file FILE",
            lines=tuple(profiles.by_name),
        )
    return profiles.by_name[wanted]


def _token(asked: Asked, settings: ClientSettings, profile: Profile) -> str | None:
    if asked.token_file is not None:
        return read_token(asked.token_file)
    if settings.token:
        return settings.token
    if profile.token_file:
        return read_token(Path(profile.token_file))
    return profile.token or None


def read_token(path: Path) -> str:
    """The token that a file holds; it is in no message, whatever is wrong with it."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it is not text"
        raise UsageProblem(
            f"the token file {path} cannot be read: {said}", "name a file that holds a token"
        ) from None
    if not token:
        raise UsageProblem(f"the token file {path} is empty", "name a file that holds a token")
    return token


def _server(target: str, channel: grpc.Channel) -> Server:
    return Server(
        target=target,
        access=AccessServiceStub(channel),
        audits=AuditServiceStub(channel),
        changes=ChangeServiceStub(channel),
        executions=ExecutionServiceStub(channel),
        extensions=ExtensionServiceStub(channel),
        info=ServerInfoServiceStub(channel),
        projects=ProjectServiceStub(channel),
        users=UserServiceStub(channel),
        workflows=WorkflowServiceStub(channel),
    )
