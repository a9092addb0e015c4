"""Writes `docs/reference/`: `python -m tools.reference [--output DIR | --check]`.

What is written comes from the contract's descriptor set with its comments, from the permission
table and from the models of the settings. Nothing in that folder is edited by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import MethodOptions

from symphony.v1 import policy_pb2
from symphony_server.access.permissions import PERMISSIONS, Requirement
from tools.reference_contract import PACKAGE, Contract, Enum, Message, Rpc, Service, Value, read
from tools.reference_settings import client_settings, server_settings, tier_limits

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = ROOT / "docs" / "reference"
DESCRIPTOR_SET: Final = ROOT / "generated" / "symphony.binpb"
BY_HAND: Final = frozenset({"metrics.md"})
"""Pages of the folder that are not written here."""

_MADE: Final = "<!-- Made by tools/reference.py from {source}; not edited. -->\n"
_REASONS: Final = "ErrorReason"
_PREFIX: Final = "ERROR_REASON_"
_WELL_KNOWN: Final = "google.protobuf."


def main() -> int:
    """Returns the exit status: 1 if `--check` found a difference."""
    parser = argparse.ArgumentParser(description="Writes docs/reference/.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--output", type=Path, default=REFERENCE, metavar="DIR")
    what.add_argument("--check", action="store_true", help="only say what would change")
    arguments = parser.parse_args()
    if arguments.check:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder))
            return report_differences(REFERENCE, Path(folder))
    write(arguments.output)
    return 0


def write(output: Path) -> None:
    """Writes every page into `output`, and takes out those that are no longer made."""
    output.mkdir(parents=True, exist_ok=True)
    made = pages(read(DESCRIPTOR_SET))
    for name, text in made.items():
        (output / name).write_text(text, encoding="utf-8")
    for old in output.glob("*.md"):
        if old.name not in made.keys() | BY_HAND:
            old.unlink()


def report_differences(committed: Path, fresh: Path) -> int:
    """Prints each page that is not as `fresh` has it; returns 1 if there is one."""
    old, new = _contents(committed), _contents(fresh)
    differing = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    for name in differing:
        state = "missing" if name not in old else "left over" if name not in new else "outdated"
        print(f"docs/reference/{name}: {state}")
    if differing:
        print("docs/reference/ is not what the contract says: run `make reference`, commit it")
    return 1 if differing else 0


def _contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.glob("*.md") if path.name not in BY_HAND)
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def pages(contract: Contract) -> dict[str, str]:
    """The text of each page by its file's name."""
    book = _Book(contract)
    made = {book.page_of[service.file]: book.service(service) for service in contract.services}
    return {
        **made,
        "index.md": book.index(),
        "errors.md": book.errors(),
        "permissions.md": book.permissions(),
        "messages.md": book.messages(),
        "settings.md": settings(),
    }


class _Book:
    """The pages about the contract, which link to one another."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._reasons = {
            value.name.removeprefix(_PREFIX): value for value in contract.enum(_REASONS).values
        }
        self.page_of: dict[str, str] = {}
        """File of the contract → page that shows it."""
        for service in contract.services:
            page = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", service.name).lower() + ".md"
            self.page_of |= {service.file: page, service.resource_file: page}
        self.page_of |= {
            contract.enum(_REASONS).file: "errors.md",
            contract.enum("Access").file: "permissions.md",
        }
        self._home = {one.name: self.page_of[one.file] for one in _all_types(contract)}

    # --- one page a service

    def service(self, service: Service) -> str:
        """The page of a service: its RPCs, then the messages and enums of its resources."""
        page = self.page_of[service.file]
        here = {service.file, service.resource_file}
        shown: set[str] = set()
        text = [f"# {service.name}\n", _made_of(here), *self._head(service, page)]
        for rpc in service.rpcs:
            text += self._rpc(rpc, page, shown)
        rest = [m for m in self._contract.messages if m.file in here and m.name not in shown]
        if rest:
            text.append("## Messages\n")
            for message in sorted(rest, key=lambda one: one.file.endswith("_service.proto")):
                text += self._message(message, page, "###")
        enums = [enum for enum in self._contract.enums if enum.file in here]
        if enums:
            text.append("## Enums\n")
            for enum in enums:
                text += self._enum(enum, page)
        return "\n".join(text)

    def _head(self, service: Service, page: str) -> Iterator[str]:
        yield self._prose(service.comment, page) + "\n"
        drawing = service.head.partition("\n\n")[2]
        if drawing:
            yield f"```text\n{drawing}\n```\n"
        rows = [
            [
                f"[{rpc.name}](#{rpc.name.lower()})",
                self._prose(_first_sentence(rpc.about), page),
                "writes" if rpc.writes else "reads",
            ]
            for rpc in service.rpcs
        ]
        yield _table(("RPC", "", ""), rows)

    def _rpc(self, rpc: Rpc, page: str, shown: set[str]) -> Iterator[str]:
        yield f"## {rpc.name}\n"
        yield self._prose(rpc.about, page) + "\n"
        yield f"- Method: `{PACKAGE}.{rpc.service}/{rpc.name}`"
        yield f"- Who: {self._prose(_one_line(rpc.who), page)}"
        yield f"- Policy: {_policy(rpc)}"
        yield from self._failures(rpc, page)
        request = self._message_named(rpc.request)
        if request is not None:
            yield from self._message(request, page, "####")
            shown.add(request.name)
        response = self._message_named(rpc.response)
        answer = self._type(rpc.response, page)
        if rpc.streams:
            answer = f"a stream of {answer}"
        if response is not None and response.name == f"{rpc.name}Response":
            yield from self._message(response, page, "####")
            shown.add(response.name)
        elif rpc.response == f"{_WELL_KNOWN}Empty":
            yield "Answers with nothing: `google.protobuf.Empty`.\n"
        else:
            yield f"Answers with {answer}.\n"

    def _failures(self, rpc: Rpc, page: str) -> Iterator[str]:
        of_any = "[those of any call](errors.md#errorreason)"
        text = _one_line(rpc.errors)
        codes = "|".join(sorted({value.code for value in self._reasons.values()}))
        first, *parts = re.split(rf"(?:^|(?<=\. ))({codes}): ", text)
        if not parts:
            yield f"- Errors: {first.rstrip('.')}, but {of_any}.\n"
            return
        yield f"- Errors, beside {of_any}:"
        for code, said in zip(parts[::2], parts[1::2], strict=True):
            yield f"    - `{code}`: {self._prose(said.strip().rstrip('.'), page)}"
        yield ""

    def _message_named(self, full_name: str) -> Message | None:
        name = full_name.removeprefix(f"{PACKAGE}.")
        return next((one for one in self._contract.messages if one.name == name), None)

    def _message(self, message: Message, page: str, level: str) -> Iterator[str]:
        yield f"{level} {message.name}\n"
        yield self._prose(message.comment, page) + "\n"
        if not message.fields:
            yield "It has no fields.\n"
            return
        rows = [
            [
                f"`{field.name}`",
                ("list of " if field.repeated else "") + self._type(field.type, page),
                self._prose(_one_line(field.comment), page),
                "; ".join(field.rules),
            ]
            for field in message.fields
        ]
        yield _table(("Field", "Type", "Meaning", "Rules"), rows)

    def _enum(self, enum: Enum, page: str) -> Iterator[str]:
        yield f"### {enum.name}\n"
        yield self._prose(enum.comment, page) + "\n"
        rows = [
            [f"`{value.name}`", str(value.number), self._prose(_one_line(value.comment), page)]
            for value in enum.values
        ]
        yield _table(("Value", "Number", "Meaning"), rows)

    # --- pages about all of them

    def index(self) -> str:
        """What there is, and where."""
        rows = [
            [
                f"[{service.name}]({self.page_of[service.file]})",
                _first_sentence(service.comment),
                ", ".join(
                    f"[{rpc.name}]({self.page_of[service.file]}#{rpc.name.lower()})"
                    for rpc in service.rpcs
                ),
            ]
            for service in self._contract.services
        ]
        return "\n".join(
            [
                "# Reference\n",
                _made_of(()),
                "Everything on these pages comes from the contract in `protos/symphony/v1` and from"
                " the settings' own definitions, and is made anew when one of the two changes.\n",
                _table(("Service", "", "RPCs"), rows),
                "- [Errors](errors.md): every reason with its code, and which RPCs end in it.",
                "- [Permissions](permissions.md): what each method needs, and what is recorded.",
                "- [Messages and enums](messages.md): all of them by name.",
                "- [Settings](settings.md): of the server and of the client.\n",
                "All servers also answer `grpc.health.v1.Health` and `grpc.reflection` (v1 and"
                " v1alpha).\n",
            ]
        )

    def errors(self) -> str:
        """Every error reason, grouped by status code."""
        enum = self._contract.enum(_REASONS)
        groups: dict[str, list[Value]] = {}
        for value in enum.values:
            if value.number:
                groups.setdefault(value.code, []).append(value)
        rows = [
            [
                f"[{code}](#code-{code.lower()})",
                ", ".join(self._reason(v, "errors.md") for v in values),
            ]
            for code, values in groups.items()
        ]
        text = ["# Errors\n", _made_of((enum.file,))]
        text.append(_table(("Code", "Reasons"), rows))
        text += ["## ErrorReason\n", self._prose(enum.comment, "errors.md") + "\n"]
        for code, values in groups.items():
            text.append(f"## Code {code}\n")  # INTERNAL is a reason's name too
            for value in values:
                text += self._one_reason(value)
        return "\n".join(text)

    def _one_reason(self, value: Value) -> Iterator[str]:
        name = value.name.removeprefix(_PREFIX)
        yield f"### {name}\n"
        comment = _one_line(value.comment).removeprefix(f"{value.code}. ")
        about, _, keys = comment.partition(" Metadata: ")
        yield self._prose(about, "errors.md") + "\n"
        if keys:
            yield f"- Metadata: {keys}"
        named_by = [
            f"[{rpc.name}]({self.page_of[service.file]}#{rpc.name.lower()})"
            for service in self._contract.services
            for rpc in service.rpcs
            if re.search(rf"\b{name}\b", rpc.errors)
        ]
        if named_by:
            yield f"- Named by: {', '.join(named_by)}"
        yield f"- Number: {value.number}\n"

    def permissions(self) -> str:
        """The policy of every method, and what each permission asks."""
        source = self._contract.enum("Access").file
        policy = next(one for one in self._contract.messages if one.name == "Policy")
        text = ["# Permissions\n", _made_of((source,))]
        text.append(
            "What a method needs, does and leaves behind is an option of it in the contract. A"
            " token's scopes are prefixes of permissions: `workflows.` covers `workflows.create`."
            " Every refusal is recorded.\n"
        )
        for service in self._contract.services:
            rows = [
                [
                    f"[{rpc.name}]({self.page_of[service.file]}#{rpc.name.lower()})",
                    "none" if rpc.policy.anonymous else _permission(rpc, ""),
                    "writes" if rpc.writes else "reads",
                    _recorded(rpc),
                    _again(rpc),
                ]
                for rpc in service.rpcs
            ]
            text.append(f"## {service.name}\n")
            text.append(_table(("Method", "Permission", "", "Recorded", "To try again"), rows))
        text.append("## What each permission asks\n")
        text.append(
            "All requirements of a permission must hold; one holds when any of its rules does."
            " `symphony explain` shows rules by these names. Who may not read a resource is told"
            " that there is none. Other limits, such as those of the tier, come after these.\n"
        )
        for name, permission in PERMISSIONS.items():
            asked = list(permission.requirements)
            if permission.visible is not None:
                asked.insert(0, permission.visible)
            text.append(f"### {name}\n")
            text.append(self._requirements(asked) if asked else "Nothing: anyone may.\n")
        text += ["## In the contract\n", *self._message(policy, "permissions.md", "###")]
        for enum in self._contract.enums:
            if enum.file == source:
                text += self._enum(enum, "permissions.md")
        return "\n".join(text)

    def _requirements(self, asked: Sequence[Requirement]) -> str:
        names = {value.number: value for value in self._reasons.values()}
        rows = [
            [
                " or ".join(f"`{rule.name}`" for rule in one.any_of),
                self._reason(names[one.reason], "permissions.md"),
                one.remedy,
            ]
            for one in asked
        ]
        return _table(("Any of these rules", "Else", "In words"), rows)

    def messages(self) -> str:
        """Every message and enum by name."""
        rows = [
            [
                self._type(f"{PACKAGE}.{one.name}", "messages.md"),
                "enum" if isinstance(one, Enum) else "message",
                self._prose(_first_sentence(one.comment), "messages.md"),
            ]
            for one in sorted(_all_types(self._contract), key=lambda one: one.name)
        ]
        return "\n".join(["# Messages and enums\n", _made_of(()), _table(("Name", "", ""), rows)])

    # --- links

    def _type(self, name: str, page: str) -> str:
        short = name.removeprefix(f"{PACKAGE}.")
        if short == name:  # a scalar, or what Google defines
            return name.removeprefix(_WELL_KNOWN)
        return f"[{short}]({self._to(self._home[short], page)}#{short.lower()})"

    def _to(self, target: str, page: str) -> str:
        return "" if target == page else target

    def _reason(self, value: Value, page: str) -> str:
        name = value.name.removeprefix(_PREFIX)
        return f"[{name}]({self._to('errors.md', page)}#{name.lower()})"

    def _prose(self, text: str, page: str) -> str:
        """A comment with links at the error reasons, messages and enums that it names."""

        def reason(match: re.Match[str]) -> str:
            value = self._reasons.get(match[0])
            return match[0] if value is None else self._reason(value, page)

        def name(code: str) -> str:
            home = self._home.get(code.strip("`"))
            return code if home is None else self._type(f"{PACKAGE}.{code.strip('`')}", page)

        return "".join(
            name(piece) if piece.startswith("`") else re.sub(r"\b[A-Z_]+[A-Z]\b", reason, piece)
            for piece in re.split(r"(`[^`]*`)", text)
        )


def settings() -> str:
    """The page of all settings."""
    head = ("Variable", "Takes", "Default", "Meaning")
    return "\n".join(
        [
            "# Settings\n",
            "<!-- Made by tools/reference.py from the settings' models; not edited. -->\n",
            "All are environment variables. `symphony serve --help` names the options of the"
            " command line, which win over them.\n",
            "## Of the server\n",
            _table(head, server_settings()),
            "### Limits of the tiers\n",
            "`SYMPHONY_TIERS` sets them, as JSON; what it leaves out stays:"
            ' `{"free": {"max_workflows": 20}}`.\n',
            _table(("Limit", "free", "pro", "enterprise", "Meaning"), tier_limits()),
            "## Of the Python client\n",
            "`DataAccess.from_env()` reads them. The `symphony` command reads some, and has"
            " [profiles](../command.md) besides.\n",
            _table(head, client_settings()),
        ]
    )


def _all_types(contract: Contract) -> list[Message | Enum]:
    return [*contract.messages, *contract.enums]


def _policy(rpc: Rpc) -> str:
    if rpc.policy.anonymous:
        return f"needs no credentials; recorded: {_recorded(rpc)}; to try again: {_again(rpc)}"
    return (
        f"{_permission(rpc, 'permissions.md')};"
        f" {'writes' if rpc.writes else 'reads'}; recorded: {_recorded(rpc)};"
        f" to try again: {_again(rpc)}"
    )


def _recorded(rpc: Rpc) -> str:
    always = rpc.policy.audit == policy_pb2.AUDIT_ALWAYS
    return "every decision" if always else "refusals"


def _again(rpc: Rpc) -> str:
    return _AGAIN[rpc.idempotency]


_AGAIN: Final[Mapping[int, str]] = {
    MethodOptions.NO_SIDE_EFFECTS: "safe",
    MethodOptions.IDEMPOTENT: "safe with the same `request_id`",
    MethodOptions.IDEMPOTENCY_UNKNOWN: "not safe",
}


def _permission(rpc: Rpc, page: str) -> str:
    """A link to what the permission asks; a heading's address leaves out the full stop."""
    name = rpc.policy.permission
    return f"[`{name}`]({page}#{name.replace('.', '')})"


def _made_of(files: Iterable[str]) -> str:
    return _MADE.format(
        source=" and ".join(f"protos/{name}" for name in sorted(files)) or "protos/"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", _one_line(text), maxsplit=1)[0]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    escape: Callable[[str], str] = lambda cell: cell.replace("|", "\\|")  # noqa: E731
    lines = [list(head), ["---"] * len(head), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
