"""How the command ends: one table, for scripts and for `docs/command.md`."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What the exit code says; each has its sentence in `MEANINGS`."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    NO_ANSWER = 5
    CONFLICT = 6
    FAULT = 70
    INTERRUPTED = 130
    NO_READER = 141


MEANINGS: Final = {
    ExitCode.DONE: "It was done; of `can`: allowed.",
    ExitCode.REFUSED: "Refused: a rule, a limit or a state is in the way; of `can`: not allowed.",
    ExitCode.USAGE: "Not written right: an option, a file, a profile, or a name that fits several.",
    ExitCode.NOT_FOUND: "There is no such thing, or not for these eyes.",
    ExitCode.NOT_ALLOWED: "Not authenticated, or not allowed.",
    ExitCode.NO_ANSWER: "No answer, or not now: no server, no time left, too many requests.",
    ExitCode.CONFLICT: "Taken already, or changed by somebody else meanwhile.",
    ExitCode.FAULT: "A fault of the server, or of the command itself.",
    ExitCode.INTERRUPTED: "Ended by Ctrl-C.",
    ExitCode.NO_READER: "Whoever read the output stopped reading.",
}
