"""What an extension may ask for, and what it must not ask for together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from symphony_server.rules.manifest.claims import Claims, Finding

PERMISSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "filesystem.read": "read files outside the extension's own directory",
        "filesystem.write": "change files outside the extension's own directory",
        "storage.read": "read what the extension itself has stored",
        "storage.write": "store data of the extension's own",
        "network.connect": "open connections to other machines",
        "network.listen": "accept connections from other machines",
        "process.spawn": "start other programs",
        "env.read": "read environment variables",
        "secrets.read": "read the credentials that users keep for it",
        "model.invoke": "ask a model of the pool",
        "workflow.read": "read the workflows of its project",
        "workflow.execute": "start workflows of its project",
        "ui.render": "show something in the user interface",
        "ui.notify": "notify the user",
        "clipboard.read": "read the clipboard",
        "clipboard.write": "fill the clipboard",
        "audio.capture": "listen to the microphone",
        "audio.play": "play sounds",
        "video.capture": "watch through the camera",
        "screen.capture": "see the screen",
        "time.schedule": "be started at certain times",
        "telemetry.emit": "report measurements to the server",
    }
)
"""Every permission there is → what it lets an extension do."""

_KINDS: Final = ", ".join(dict.fromkeys(name.partition(".")[0] for name in PERMISSIONS))
_FORBIDDEN_TOGETHER: Final = (
    ({"filesystem.write", "network.connect"}, "could plant files that others send"),
    ({"filesystem.write", "network.listen"}, "could plant files that others send"),
    ({"filesystem.write", "process.spawn"}, "could write a program and start it"),
    ({"process.spawn", "network.connect"}, "could let others run programs here"),
    ({"process.spawn", "network.listen"}, "could let others run programs here"),
)
_RISKY_TOGETHER: Final = tuple(
    ({source, "network.connect"}, "could send away what it reads")
    for source in (
        "filesystem.read",
        "env.read",
        "secrets.read",
        "clipboard.read",
        "audio.capture",
        "video.capture",
        "screen.capture",
    )
)
_WILDCARD: Final = re.compile(r"(?:.*\.)?(?:all|any|full|everything|root|admin)", re.IGNORECASE)
_LOC: Final = ("permissions",)


def wildcard(claims: Claims) -> Iterator[Finding]:
    """Whoever asks for everything gets what nobody has thought of."""
    for permission in claims.permissions:
        if _is_wildcard(permission.text):
            yield Finding(permission.loc, "is a wildcard; name each permission that is needed")


def unknown(claims: Claims) -> Iterator[Finding]:
    """A permission that is not declared here means nothing today, and who knows what tomorrow."""
    for permission in claims.permissions:
        if permission.text not in PERMISSIONS and not _is_wildcard(permission.text):
            near = get_close_matches(permission.text.lower(), PERMISSIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"they begin with {_KINDS}"
            yield Finding(permission.loc, f"is no permission that exists; {hint}")


def dangerous_together(claims: Claims) -> Iterator[Finding]:
    """Two harmless permissions can make a back door."""
    yield from _held_together(claims, _FORBIDDEN_TOGETHER, "ask for one of them only")


def risky_together(claims: Claims) -> Iterator[Finding]:
    """Many honest extensions need these; whoever installs one should know what they allow."""
    yield from _held_together(claims, _RISKY_TOGETHER, "leave one out if you can")


def _held_together(
    claims: Claims, combinations: tuple[tuple[set[str], str], ...], remedy: str
) -> Iterator[Finding]:
    held = {permission.text for permission in claims.permissions}
    for combination, danger in combinations:
        if combination <= held:
            yield Finding(_LOC, f"with {' and '.join(sorted(combination))} it {danger}; {remedy}")


def _is_wildcard(permission: str) -> bool:
    return "*" in permission or _WILDCARD.fullmatch(permission) is not None
