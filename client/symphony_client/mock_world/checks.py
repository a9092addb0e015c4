"""What several actions ask: is it there, is it as it was read, is the id or the name free."""

from __future__ import annotations

from typing import Any

from symphony_client.mock_world.refusals import Refused, Wrong
from symphony_client.mock_world.world import World
from symphony_client.resources.kinds import USER, Kind
from symphony_client.resources.names import name_key


def found(world: World, kind: Kind, resource_id: str, *, field: str = "id") -> Any:
    """The resource with an id. Raises Refused: RESOURCE_NOT_FOUND."""
    resource = world.table.get(kind, resource_id)
    if resource is None:
        raise Refused(
            not_found(kind, f"there is no {kind.field} {resource_id}", resource_id, field)
        )
    return resource


def not_found(kind: Kind, description: str, subject: str, field: str) -> Wrong:
    """What is wrong where a resource is asked for that is not there."""
    return Wrong(
        reason="RESOURCE_NOT_FOUND",
        description=description,
        field=field,
        subject=subject,
        metadata={"resource_type": kind.field},
    )


def stale(given: str, current: str, *, field: str) -> Wrong | None:
    """What is wrong with an etag that was given and is not the current one."""
    if given in ("", current):
        return None
    return Wrong(
        reason="ETAG_MISMATCH",
        description="does not match: the resource has changed since it was read; read it again",
        field=field,
        metadata={"etag": current},
    )


def id_taken(world: World, kind: Kind, chosen: str, *, field: str) -> Wrong | None:
    """What is wrong with an id that the client chose and that is in use."""
    if not chosen or world.table.get(kind, chosen) is None:
        return None
    return Wrong(
        reason="ID_TAKEN",
        description="is in use; choose another id, or leave it out to have one made",
        field=field,
    )


def name_taken(
    world: World, kind: Kind, resource: Any, *, field: str, besides: str = ""
) -> Wrong | None:
    """What is wrong with a name that another resource of the project has."""
    name = kind.name_of(resource)
    holders = world.table.named(kind, name, project_id=resource.project_id)
    if all(holder.id == besides for holder in holders):
        return None
    return Wrong(
        reason="DUPLICATE_NAME",
        description=f'is taken: the project has a {kind.field} named "{name}" already '
        "(compared without regard to case); choose another name",
        field=field,
    )


def email_taken(world: World, email: str, *, field: str, besides: str = "") -> Wrong | None:
    """What is wrong with an e-mail address that another user has."""
    holder = user_by_email(world, email)
    if holder is None or holder.id == besides:
        return None
    return Wrong(
        reason="EMAIL_TAKEN",
        description="is the address of another user; they are compared without regard to case",
        field=field,
    )


def user_by_email(world: World, email: str) -> Any:
    """The user with an address, in whatever case, or None."""
    key = name_key(email)
    return next((user for user in world.where(USER) if name_key(user.email) == key), None)


def acted_for(world: World, user_id: str) -> str:
    """The id of the user that somebody acts for. Raises Refused: ACT_AS_NOT_ALLOWED."""
    if world.table.get(USER, user_id) is None:
        raise Refused(
            Wrong(
                reason="ACT_AS_NOT_ALLOWED",
                description="there is no such user to act for",
                field="x-symphony-act-as",
            )
        )
    return user_id
