"""Which server is asked, and with which credentials."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import typer

from symphony_client import connect, to_data_error
from symphony_client.errors import NotFound
from symphony_client.settings import ClientSettings, SettingsInvalid
from symphony_command.asking import Asked, asked_of
from symphony_command.credentials import sent
from symphony_command.errors import CallFailed, NothingFound, UsageProblem
from symphony_command.names import is_id, user_id
from symphony_command.profile_file import Profile, Profiles, read_profiles
from symphony_command.services import Server, services_on


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
    arguments["act_as"] = _acted_for(arguments)
    with _connected(arguments, place_of) as server:
        yield server


@contextmanager
def _connected(
    arguments: dict[str, Any], place_of: Callable[[str], str] | None = None
) -> Iterator[Server]:
    try:
        channel = connect(**arguments)
    except (OSError, ValueError) as error:
        raise UsageProblem(
            str(error), "look at the options, the variables and the profile"
        ) from None
    try:
        yield services_on(arguments["target"], channel)
    except grpc.RpcError as error:
        raise CallFailed(
            to_data_error(error),
            target=arguments["target"],
            credential=sent(arguments["token"], certificate=arguments["tls_cert"] is not None),
            place_of=place_of,
        ) from error
    finally:
        channel.close()


def _acted_for(arguments: dict[str, Any]) -> str | None:
    """The id of the user to act for, whom an e-mail address names as well. Who the caller is, and
    not for whom, says whether it may look for that: an ADMIN may, a SERVICE may not.
    """
    named: str | None = arguments["act_as"]
    if not named or is_id("user", named):
        return named
    try:
        with _connected({**arguments, "act_as": None}) as server:
            return user_id(server, named)
    except CallFailed as failed:
        if isinstance(failed.error, NotFound):
            raise NothingFound(
                f"there is no user {named} of whom you may know",
                "write the id of the user to act for: --act-as user_…",
            ) from None
        raise


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
