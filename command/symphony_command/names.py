"""Names as people type them, turned into the ids that the contract takes."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Final

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.extension_service_pb2 import ListExtensionsRequest
from symphony.v1.project_service_pb2 import ListProjectsRequest
from symphony.v1.user_service_pb2 import GetUserByEmailRequest
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from symphony_command.errors import NothingFound, UsageProblem
from symphony_command.services import Server

ME: Final = "me"
"""The user whose token it is."""

_MAX_NAME: Final = 128
_SUGGESTED: Final = 200


def is_id(kind: str, text: str) -> bool:
    """Whether it is written as the ids of that kind are."""
    return re.fullmatch(f"{kind}_[0-7][0-9a-hjkmnp-tv-z]{{25}}", text) is not None


def project_id(server: Server, text: str) -> str:
    """The id of the project with an id or a name, among those that the user may read."""
    if is_id("project", text):
        return text

    def ask(**criteria: Any) -> list[tuple[str, str, str]]:
        found = server.projects.ListProjects(ListProjectsRequest(**criteria)).projects
        return [(one.name, one.id, f"{one.id}  {one.name}") for one in found]

    return _the_one("project", text, ask)


def project_id_if_named(server: Server, text: str) -> str:
    """The id of the project with an id or a name; nothing where none is named."""
    return project_id(server, text) if text else ""


def workflow_id(server: Server, text: str, *, project: str = "") -> str:
    """The id of the workflow with an id or a name; in one project only, if one is named."""
    if is_id("workflow", text):
        return text
    within = project_id_if_named(server, project)

    def ask(**criteria: Any) -> list[tuple[str, str, str]]:
        request = ListWorkflowsRequest(project_id=within, **criteria)
        found = server.workflows.ListWorkflows(request).workflows
        return [
            (one.spec.name, one.id, f"{one.id}  {one.spec.name}, in {one.project_id}")
            for one in found
        ]

    return _the_one("workflow", text, ask)


def extension_id(server: Server, text: str, *, project: str = "") -> str:
    """The id of the extension with an id or a name; in one project only, if one is named."""
    if is_id("extension", text):
        return text
    within = project_id_if_named(server, project)

    def ask(**criteria: Any) -> list[tuple[str, str, str]]:
        request = ListExtensionsRequest(project_id=within, **criteria)
        found = server.extensions.ListExtensions(request).extensions
        return [(one.name, one.id, f"{one.id}  {one.name}, in {one.project_id}") for one in found]

    return _the_one("extension", text, ask)


def user_id(server: Server, text: str) -> str:
    """The id of the user with an id or an e-mail address, or of the caller for `me`."""
    if is_id("user", text):
        return text
    if text == ME:
        return server.access.WhoAmI(WhoAmIRequest()).user.id
    if "@" in text:
        return server.users.GetUserByEmail(GetUserByEmailRequest(email=text)).id
    raise UsageProblem(
        f"{text!r} is no user", "write an e-mail address, an id (user_…), or me for yourself"
    )


def user_id_if_named(server: Server, text: str) -> str:
    """The id of the user with an id or an e-mail address; nothing where none is named."""
    return user_id(server, text) if text else ""


def _the_one(kind: str, text: str, ask: Any) -> str:
    """The id of the one that has exactly this name, or this name in another case."""
    # Ordered by name, those that are called so come before those that only begin so.
    named = ask(name_prefix=text[:_MAX_NAME], order_by="name")
    exactly = [one for one in named if one[0] == text]
    found = exactly or [one for one in named if one[0].casefold() == text.casefold()]
    if len(found) == 1:
        return str(found[0][1])
    if found:
        raise UsageProblem(
            f"{len(found)} {kind}s are called {text!r}",
            "take the id of the one that you mean",
            lines=tuple(one[2] for one in found),
        )
    near = named or _near(text, ask(page_size=_SUGGESTED))
    raise NothingFound(
        f"no {kind} that you may see is called {text!r}",
        f"take one of those above, or look at all: symphony {kind}s list"
        if near
        else f"look at those that there are: symphony {kind}s list",
        lines=tuple(one[2] for one in near[:5]),
    )


def _near(text: str, known: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    names = get_close_matches(text, [one[0] for one in known], n=3)
    return [one for one in known if one[0] in names]
