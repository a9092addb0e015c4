"""The config file: which servers a person works with, and the credentials for each.

current = "staging"

[profiles.staging]
server = "symphony.example.com:50051"
token_file = "/home/nora/.symphony-staging"
tls = true
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from symphony_command.errors import UsageProblem

_VARIABLE: Final = "SYMPHONY_CONFIG"
_NEXT: Final = "Mend it, or remove it and make the profiles again: symphony profile add --help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A server, and what to call it with; the token is in no `repr`."""

    server: str
    token: str = field(default="", repr=False)
    token_file: str = ""
    tls: bool = False
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """All profiles, and the name of the one that is used unless another is asked for."""

    current: str = ""
    by_name: dict[str, Profile] = field(default_factory=dict)


def config_path() -> Path:
    """Where the file is: as `SYMPHONY_CONFIG` says, else in the platform's folder for such."""
    said = os.environ.get(_VARIABLE, "")
    if said:
        return Path(said)
    # Not typer.get_app_dir: with XDG_CONFIG_HOME set to nothing it takes the working directory.
    from platformdirs import user_config_path

    return user_config_path("symphony", appauthor=False) / "config.toml"


def read_profiles() -> Profiles:
    """What the file has; nothing if there is none.

    Raises:
        UsageProblem: it cannot be read, or is not such a file.
    """
    path = config_path()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Profiles()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise UsageProblem(f"the config file {path} cannot be read: {said}", _NEXT) from None
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict):
        raise UsageProblem(f"the config file {path}: 'profiles' takes a table", _NEXT)
    return Profiles(
        current=str(content.get("current", "")),
        by_name={name: _profile(path, name, keys) for name, keys in profiles.items()},
    )


def write_profile(name: str, profile: Profile | None, *, current: str) -> None:
    """Keep a profile, or with None remove it, and make `current` the one that is used.

    What else the file has stays as it is, comments too. Only its owner may read it.
    """
    import tomlkit

    path = config_path()
    document = (
        tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.TOMLDocument()
    )
    document["current"] = current
    profiles: Any = document.setdefault("profiles", tomlkit.table(is_super_table=True))
    profiles.pop(name, None)
    if profile is not None:
        profiles[name] = {key: value for key, value in asdict(profile).items() if value}
    _replace(path, tomlkit.dumps(document))


def _replace(path: Path, text: str) -> None:
    """Write the whole file or none of it; from its first byte on it is its owner's only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # of mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(beside).replace(path)


def _profile(path: Path, name: str, keys: Any) -> Profile:
    where = f"the config file {path}, profile {name!r}"
    if not isinstance(keys, dict) or not keys.get("server"):
        raise UsageProblem(f"{where}: it has no 'server'", _NEXT)
    kinds = {one.name: bool if one.name == "tls" else str for one in fields(Profile)}
    for key, value in keys.items():
        if key not in kinds:
            raise UsageProblem(
                f"{where}: there is no setting {key!r}; known: {', '.join(kinds)}", _NEXT
            )
        if not isinstance(value, kinds[key]):
            raise UsageProblem(
                f"{where}: {key!r} takes {'true or false' if key == 'tls' else 'text'}", _NEXT
            )
    return Profile(**keys)
