"""What a manifest has to say, as a pydantic model; what the scan thinks of it is not asked here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from symphony.v1.extension_pb2 import ExtensionType
from symphony_server.rules.manifest.versions import is_version, is_version_range
from symphony_server.rules.names import MAX_NAME_CHARACTERS

MAX_PERMISSIONS: Final = 64
MAX_DEPENDENCIES: Final = 256
MAX_HOOKS: Final = 16
MAX_COMMAND_CHARACTERS: Final = 1024
"""A hook starts one program; what takes more to say belongs into that."""
MAX_ENTRY_POINT_CHARACTERS: Final = 512

WRONG_TEXT: Final = "manifest_text"
"""The type of the errors whose message is ours and says what to change."""

TYPES: Final[Mapping[str, ExtensionType.ValueType]] = MappingProxyType(
    {
        "instrument": ExtensionType.EXTENSION_TYPE_INSTRUMENT,
        "operator": ExtensionType.EXTENSION_TYPE_OPERATOR,
        "motif": ExtensionType.EXTENSION_TYPE_MOTIF,
    }
)
"""What `type` may be, as it is written in manifests."""

_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HOOK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_:-]{0,63}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LAYOUT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HOMEPAGE: Final = re.compile(
    r"(?:https?|git|ssh|git\+https|git\+ssh)://[^\s\x00-\x20\x7f-\x9f]+"
    r"|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[A-Za-z0-9_./~-]+"  # as scp and git write it
)


def _has(judge: Callable[[str], object], description: str) -> AfterValidator:
    """The rule that a text has to satisfy, and what is said to one that does not."""

    def check(text: str) -> str:
        if not judge(text):
            raise PydanticCustomError(WRONG_TEXT, description)
        return text

    return AfterValidator(check)


def _one_line(text: str) -> bool:
    return not text.isspace() and not _CONTROL.search(text)


_ONE_LINE: Final = _has(_one_line, "must not be blank, nor hold line breaks or control characters")

ExtensionName = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME_CHARACTERS),
    _has(
        _NAME.fullmatch,
        "may have only lower-case letters a to z, digits, and single hyphens between them",
    ),
]
SemanticVersion = Annotated[
    str,
    Field(min_length=1, max_length=128),
    _has(is_version, "must be a semantic version such as 1.4.0 or 2.0.0-rc.1"),
]
VersionRange = Annotated[
    str,
    Field(min_length=1, max_length=128),
    _has(is_version_range, "must be a range of versions such as ^1.2 or >=1.0 <2.0"),
]
HookName = Annotated[
    str,
    _has(
        _HOOK_NAME.fullmatch,
        "must be a hook's name: a letter, then at most 63 letters, digits, hyphens, colons"
        " or underscores",
    ),
]
Command = Annotated[
    str,
    Field(min_length=1, max_length=MAX_COMMAND_CHARACTERS),
    _has(lambda text: not text.isspace(), "must not be blank"),
    _has(
        lambda text: not _CONTROL_BUT_LAYOUT.search(text),
        "must not hold control characters",
    ),
]
Homepage = Annotated[
    str,
    Field(max_length=2048),
    _has(_HOMEPAGE.fullmatch, "must be a web or git address such as https://example.com/tool"),
]


class Manifest(BaseModel):
    """What a manifest says; keys that are not known are the scan's to speak of."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    name: ExtensionName
    """By which it is known in a project."""
    version: SemanticVersion
    """Which one of its versions this is."""
    type: Literal["instrument", "operator", "motif"]
    """What kind of thing it is."""
    publisher: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), _ONE_LINE]
    """Who answers for it, in any script."""
    entry_point: Annotated[
        str, Field(min_length=1, max_length=MAX_ENTRY_POINT_CHARACTERS), _ONE_LINE
    ]
    """What is started, relative to the extension."""
    description: str = ""
    """What it is for, as long as it likes."""
    homepage: Homepage | None = None
    """Where to read more, or find its source."""
    permissions: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=128), _ONE_LINE], ...],
        Field(max_length=MAX_PERMISSIONS),
    ] = ()
    """What it asks to be allowed; the scan knows which there are."""
    dependencies: Annotated[
        dict[ExtensionName, VersionRange], Field(max_length=MAX_DEPENDENCIES, default_factory=dict)
    ]
    """Other extensions it needs, with the versions that will do."""
    hooks: Annotated[dict[HookName, Command], Field(max_length=MAX_HOOKS, default_factory=dict)]
    """Commands that are run at certain times, `install` for example."""
