"""What the scan looks at: what a manifest says, as far as it can be told, and what is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symphony_server.rules.manifest.commands import Command, command_of
from symphony_server.rules.manifest.detectors import credentials_in
from symphony_server.rules.manifest.document import Loc, RawManifest, Text, keys_in, texts_in
from symphony_server.rules.manifest.model import (
    MAX_COMMAND_CHARACTERS,
    MAX_DEPENDENCIES,
    MAX_HOOKS,
    MAX_PERMISSIONS,
)


@dataclass(frozen=True, slots=True)
class InstalledExtension:
    """An extension that is in the project already."""

    name: str
    version: str
    publisher: str
    stays: bool = False
    """True when the new one is not to replace it, whatever its name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found; which rule, and how grave it is, the table of rules knows."""

    loc: Loc
    message: str
    """What was found and what to change. It never repeats a value, which may be a secret."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a manifest says, whatever may be wrong with the rest, so that one answer has it all.

    What is not text, or longer or more than the model allows, is left out: it is refused anyway.
    """

    document: Mapping[str, Any]
    installed: Sequence[InstalledExtension]
    name: str
    version: str
    publisher: str
    entry_point: str
    permissions: tuple[Text, ...]
    dependencies: tuple[Text, ...]
    hooks: tuple[Command, ...]
    commands: tuple[Command, ...]
    """What is run: the entry point, if there is one, and the hooks."""
    texts: tuple[Text, ...]
    """Every text, wherever it is."""
    credentials: Mapping[Loc, str]
    """The texts that have the form of a credential, each with its kind."""
    hidden: frozenset[str]
    """The keys that have, which no message may name."""


def claims_of(raw: RawManifest, installed: Sequence[InstalledExtension]) -> Claims:
    """What the manifest says, next to what is installed in its project."""
    document = raw.document
    texts = tuple(texts_in(document))
    keys = tuple(keys_in(document))
    kinds = credentials_in([*keys, *(text.text for text in texts)])
    entry_point = _text(document.get("entry_point"))
    hooks = tuple(
        command_of(hook.loc, hook.text)
        for hook in _texts("hooks", document.get("hooks"), MAX_HOOKS)
    )
    return Claims(
        document=document,
        installed=installed,
        name=_text(document.get("name")),
        version=_text(document.get("version")),
        publisher=_text(document.get("publisher")),
        entry_point=entry_point,
        permissions=_texts("permissions", document.get("permissions"), MAX_PERMISSIONS),
        dependencies=_texts("dependencies", document.get("dependencies"), MAX_DEPENDENCIES),
        hooks=hooks,
        commands=(command_of(("entry_point",), entry_point), *hooks) if entry_point else hooks,
        texts=texts,
        credentials={
            texts[at - len(keys)].loc: kind for at, kind in kinds.items() if at >= len(keys)
        },
        hidden=frozenset(keys[at] for at in kinds if at < len(keys)),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= MAX_COMMAND_CHARACTERS else ""


def _texts(key: str, value: object, most: int) -> tuple[Text, ...]:
    """The texts of an object or a list; none of one that has too many."""
    named: Sequence[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        named = list(value.items())
    elif isinstance(value, list):
        named = list(enumerate(value))
    if len(named) > most:
        return ()
    return tuple(Text((key, name), text) for name, item in named if (text := _text(item)))
