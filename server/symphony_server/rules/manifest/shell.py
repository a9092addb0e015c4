"""What a shell or an interpreter would make of a command beyond starting one program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from symphony_server.rules.manifest.claims import Claims, Finding
from symphony_server.rules.manifest.commands import Command, names
from symphony_server.rules.manifest.entry_points import way_out

_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
"""What a shell takes literally: all between single quotes, most between double ones."""
_SYNTAX: Final = re.compile(r"[;&|<>`$(){}\\\n\r\"']")
"""What else a shell acts on; a quote is left over where none closes it."""

_C: Final = re.compile(r"-[A-Za-z]{0,4}c|-c.*")
_E: Final = re.compile(r"-[A-Za-z]{0,4}[eE]|-[eE].*")
_SCRIPT: Final = re.compile(r"-[ep]+.*|--(?:eval|print)(?:=.*)?|eval")
_POWERSHELL: Final = re.compile(r"-(?:c|command|e|ec|enc\w*)", re.IGNORECASE)
_CODE_OPTION: Final = {
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "python", "pypy"), _C),
    **dict.fromkeys(("ruby", "perl", "lua", "osascript"), _E),
    **dict.fromkeys(("node", "deno", "bun"), _SCRIPT),
    **dict.fromkeys(("powershell", "pwsh"), _POWERSHELL),
    "php": re.compile(r"-r.*|--run"),
    "cmd": re.compile(r"/[ckr].*", re.IGNORECASE),
}
"""Interpreter → the option that makes it run its argument as code."""
_TAKES_A_VALUE: Final = names("-W -X -o -O -r -I -M --require --import --rcfile --init-file")
"""Options of interpreters that may stand, with their value, before that one."""
_RUNS_TEXT: Final = names("eval exec source . iex invoke-expression")
_EVAL_LIKE: Final = re.compile(
    r"(?<![\w.-])(?:eval|exec|execfile|compile|system|popen|__import__|Function)\s*\("
    r"|os\.(?:system|popen|exec\w{1,3}|spawn\w{1,3})\b|subprocess\.|child_process|base64\s+-{1,2}d"
    r"|xxd\s+-\w*r|frombase64string|b64decode|atob\(|fromcharcode|\\x[0-9a-f]{2}|\$'",
    re.IGNORECASE,
)

_PRIVILEGED: Final = names(
    "sudo su doas pkexec runas gsudo setcap chroot nsenter insmod modprobe visudo usermod"
)
_SET_USER_ID: Final = re.compile(r"0?[2-7][0-7]{3}|[ugoa]*[+=][rwxXt]*s[rwxXst]*")
_MAY_LEAVE: Final = re.compile(r"[/~$%:]|\.\.")
_PROGRAM_PLACES: Final = ("/bin/", "/usr/bin/", "/usr/local/bin/")


def shell_syntax(claims: Claims) -> Iterator[Finding]:
    """A hook is one program and its arguments: whatever chains, redirects or expands hides more."""
    for command in claims.commands:
        if found := _SYNTAX.search(_QUOTED.sub("", command.text)):
            what = "a line break" if found[0] in "\r\n" else found[0]
            yield Finding(
                command.loc,
                f"has shell syntax ({what}); start one program, and put the rest into it",
            )


def evaluates_code(claims: Claims) -> Iterator[Finding]:
    """Code in a string, above all encoded, is where malice is hidden from reviewers."""
    for command in claims.commands:
        if (
            _RUNS_TEXT & command.started
            or _has_code_option(command)
            or _EVAL_LIKE.search(command.text)
        ):
            yield Finding(command.loc, "runs text as code; put the code into a file and start that")


def gains_privileges(claims: Claims) -> Iterator[Finding]:
    """An extension runs with its user's rights and must not try to get others."""
    for hook in claims.hooks:
        modes = hook.programs if "chmod" in hook.programs else ()
        if _PRIVILEGED & hook.started or any(map(_SET_USER_ID.fullmatch, modes)):
            yield Finding(hook.loc, "asks for another user's rights; do without them")


def leaves_extension(claims: Claims) -> Iterator[Finding]:
    """A hook works on the extension's own files, not on the system's or the user's."""
    for hook in claims.hooks:
        for word in filter(_MAY_LEAVE.search, hook.words):
            path = word.rpartition("=")[2]
            if not _names_program(path) and (way := way_out(path)) is not None:
                yield Finding(hook.loc, f"{way}; use paths inside the extension only")
                break


def _names_program(path: str) -> bool:
    """What the system has for everyone: `/usr/bin/env`, `/dev/null`."""
    return path == "/dev/null" or (path.startswith(_PROGRAM_PLACES) and ".." not in path)


def _has_code_option(command: Command) -> bool:
    """`python -c`, `bash -lc`, `node --eval`; but not `python build.py -c settings.toml`."""
    option, before = None, ""
    for word, program in zip(command.words, command.programs, strict=True):
        if option is not None and option.fullmatch(word):
            return True
        if program in _CODE_OPTION:
            option = _CODE_OPTION[program]
        elif not word.startswith(("-", "/")) and before not in _TAKES_A_VALUE:
            option = None
        before = word
    return False
