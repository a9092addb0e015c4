"""Credentials in a manifest: whoever reads it has them. No message ever repeats one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from symphony_server.rules.manifest.claims import Claims, Finding
from symphony_server.rules.manifest.commands import Command, names
from symphony_server.rules.manifest.document import values_in

MIN_SECRET_CHARACTERS: Final = 4
MAX_SECRET_CHARACTERS: Final = 256
"""What is longer stands under such a key for another reason: a prompt, an image."""

_REMEDY: Final = "take it out, revoke it, and have the user set it as a secret"

_PASSWORDS: Final = frozenset(
    {"password", "passwd", "passphrase", "passcode", "pwd", "contraseña", "contrasena"}
    | {
        f"{whose}key"
        for whose in names(
            "api auth access secret private client service account db database encryption signing"
            " master"
        )
    }
    | {f"{whose}{what}" for whose in ("client", "api", "app", "db") for what in ("secret", "pass")}
)
"""How keys end whose text is a credential, whatever it looks like: `db_pass`, `API-Key`."""
_MIN_RANDOM_CHARACTERS: Final = {
    **dict.fromkeys(("secret", "secrets", "credential", "credentials"), 8),
    **dict.fromkeys(("token", "auth", "authorization", "bearer"), 16),
}
"""How keys end whose text may be a credential → from how many characters, if it looks random.
Others name a secret, `secret = "openai-key"`, or a word of a model, `eos_token`.
"""
_LAST_LETTERS: Final = frozenset(word[-3:] for word in (*_PASSWORDS, *_MIN_RANDOM_CHARACTERS))
"""What tells in no time that a key is none of these."""
_KEY_WORDS: Final = re.compile(r"[_.\s-]+|(?<=[a-z0-9])(?=[A-Z])")
_SCHEME: Final = re.compile(r"(?:bearer|basic|token)\s+", re.IGNORECASE)

_REFERENCE: Final = re.compile(
    r".*(?:\$|\{\{|%\(|<[^>]*>).*|\{.*\}|\[.*\]|%\w+%|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[*•xX.?#-]+"
    r"|(?:env|file|vault|secrets?|keyring|keychain|op|ssm|arn|aws|gcp|azure|config|https?):.*"
    r"|\.{0,2}/.*|[\w./-]+\.(?:pem|key|json|ya?ml|toml|env|txt|crt|p12|pfx)"
)
"""What stands for a credential: `${KEY}`, `<your key>`, `API_KEY`, `env:KEY`, `***`, `/run/key`."""
_NO_SECRETS: Final = names(
    "string str text bool boolean number integer object true false none null optional required"
    " prompt environment vault keyring keychain keystore file hidden masked redacted secret"
    " password passwd token basic bearer oauth oauth2 apikey api_key default example"
    " placeholder user auto"
)


def embedded(claims: Claims) -> Iterator[Finding]:
    """A credential in a manifest is read by everyone who may read the extension, for ever."""
    for text in claims.texts:
        if (kind := claims.credentials.get(text.loc)) is not None:
            yield Finding(text.loc, f"holds what looks like a credential ({kind}); {_REMEDY}")
        elif _is_secret(text.key, text.text):
            yield Finding(text.loc, f"sets a password or a key; {_REMEDY}")
    for hook in claims.hooks:
        if any(_is_secret(name, value) for name, value in _settings(hook)):
            yield Finding(hook.loc, f"passes a password or a key; {_REMEDY}")
    for loc, _ in values_in(claims.document) if claims.hidden else ():
        if loc and loc[-1] in claims.hidden:
            yield Finding(loc, f"is a key that looks like a credential; {_REMEDY}")


def _is_secret(key: str, value: str) -> bool:
    """True when the key says that its value is a credential and the value does not deny it."""
    least = _least_characters(key)
    if least is None:
        return False
    value = _SCHEME.sub("", value.strip(), count=1)
    return (
        MIN_SECRET_CHARACTERS <= len(value) <= MAX_SECRET_CHARACTERS
        and " " not in value
        and value.lower() not in _NO_SECRETS
        and not _REFERENCE.fullmatch(value)
        and (least == 0 or (len(value) >= least and _looks_random(value)))
    )


def _least_characters(key: str) -> int | None:
    """From how many random characters on the key's value is a credential; 0 where any is."""
    if key[-3:].lower() not in _LAST_LETTERS:
        return None
    words = [word.lower() for word in _KEY_WORDS.split(key)[-2:]]
    if words[-1] in _PASSWORDS or "".join(words) in _PASSWORDS:
        return 0
    return _MIN_RANDOM_CHARACTERS.get(words[-1])


def _looks_random(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _settings(command: Command) -> Iterator[tuple[str, str]]:
    """What a command sets: `KEY=value`, `--key=value`, `--key value`."""
    before = ""
    for word in command.words:
        name, assigned, value = word.partition("=")
        if assigned:
            yield name.lstrip("-"), value
        elif before.startswith("-"):
            yield before.lstrip("-"), word
        before = word
