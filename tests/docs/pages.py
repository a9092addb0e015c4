"""Somebody who follows a page: writes its files, types its commands, compares what comes.

`python -m tests.docs.pages docs/tutorial.md` does so in a fresh directory and prints all of it.

Of a page these blocks are looked at, in their order:

- one with a title is a file: it is written under that name;
- `sh` is typed into one shell, and must succeed, unless `<!-- exits with 4 -->` stands above it;
- `python` is run;
- `text` as the next block is what one of these two must have shown, where `…` is anything within a
  line, and a line with nothing else is any lines.

`<!-- goes on running -->` stands above the command that serves, and `<!-- from nothing -->` above
one that only a machine without the project needs. Anything else is a mistake of the page.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.processes import Server, environment

ROOT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1:50051"
START_SECONDS = 30

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^>]+) -->\n)?"
    r"(?P<indent> *)```\{?\.?(?P<language>\w+)\}?(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.M | re.S,
)
_END = "what the block showed ends here:"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    place: str
    language: str
    title: str
    mark: str
    text: str
    shown: str | None = None
    """What the page says that it shows, if it does."""

    @property
    def exit_code(self) -> int:
        found = re.fullmatch(r"exits with (\d+)", self.mark)
        return int(found[1]) if found else 0


def blocks(page: Path) -> Iterator[Block]:
    """The blocks that a reader acts on, each with what it is to show."""
    source = page.read_text()
    found = list(_BLOCK.finditer(source))
    if source.count("```") != 2 * len(found):
        raise AssertionError(f"{page.name}: a block is not written so that it can be followed")
    for match, after in zip(found, [*found, None][1:], strict=True):
        language, title = match["language"], match["title"] or ""
        text = textwrap.dedent(match["text"])
        if text.startswith('--8<-- "'):
            continue  # a file of the project, which has its own tests
        place = f"{page.name}:{source.count(chr(10), 0, match.start()) + 1}"
        if language == "text" and not title:
            continue  # goes with the one before
        if language not in {"sh", "python"} and not title:
            raise AssertionError(f"{place}: nobody can tell what to do with a block of {language}")
        shown = None
        if after and after["language"] == "text" and not after["title"]:
            shown = textwrap.dedent(after["text"])
        yield Block(place, language, title, match["mark"] or "", text, shown)


def matches(expected: str, shown: str) -> bool:
    """Whether a text is what a page says; spaces at the ends of lines do not count."""
    pattern = ""
    for line in expected.strip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(piece) for piece in line.rstrip().split("…")) + "\n"
    lines = "".join(line.rstrip() + "\n" for line in shown.strip().splitlines())
    return re.fullmatch(pattern, lines) is not None


class Reader:
    """Follows pages in a directory, with one shell from the first block to the last."""

    def __init__(
        self,
        directory: Path,
        variables: Mapping[str, str],
        *,
        address: str = ADDRESS,
        from_nothing: bool = False,
        loud: bool = False,
    ) -> None:
        """Take the shell's variables; `address` is where a server is already, if one is."""
        self._directory = directory
        self._address = address
        self._from_nothing = from_nothing
        self._loud = loud
        self._shell = subprocess.Popen(
            ["sh"],  # noqa: S607
            cwd=directory,
            env={**variables, "PYTHONUNBUFFERED": "1", "SYMPHONY_LISTEN": "127.0.0.1:0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that all that it started can be ended with it
        )

    def follow(self, page: Path) -> None:
        """Do what a page says, from its first block to its last."""
        for block in blocks(page):
            self._act(block)

    def _act(self, block: Block) -> None:
        text = block.text.replace(ADDRESS, self._address)
        if block.title:
            (self._directory / block.title).write_text(text)
        elif block.mark == "goes on running":
            self._start(block, text)
        elif block.mark != "from nothing" or self._from_nothing:
            self._type(block, text)

    def _type(self, block: Block, text: str) -> None:
        code, shown = self._run(self._command(block, text), until_wrong=block.exit_code == 0)
        shown = shown.replace(self._address, ADDRESS)
        if self._loud:
            print(f"--- {block.place}\n{block.text}--->\n{shown}")
        assert code == block.exit_code, f"{block.place}: exit code {code}\n{block.text}\n{shown}"
        if block.shown is not None:
            assert matches(block.shown, shown), (
                f"{block.place}: the page shows\n{block.shown}\nbut it is\n{shown}"
            )

    def _command(self, block: Block, text: str) -> str:
        file = Path(tempfile.mkdtemp(dir=self._directory, prefix=".block")) / "block"
        file.write_text(text)
        return f". '{file}'" if block.language == "sh" else f"python '{file}'"

    def _run(self, command: str, *, until_wrong: bool) -> tuple[int, str]:
        """Type a command; returns its exit code and everything that it showed."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(
            f"set {'-' if until_wrong else '+'}e\n"
            f"{command} < /dev/null\n"
            f'printf "\\n%s %s %s\\n" "{_END}" $? "$PWD"\n'
        )
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.startswith(_END):
                code, directory = line.removeprefix(_END).split(maxsplit=1)
                self._directory = Path(directory.rstrip("\n"))
                return int(code), "".join(lines)
            lines.append(line)
        # Looked at, not waited for: until then its session's number belongs to nobody else.
        ended = os.waitid(os.P_PID, self._shell.pid, os.WEXITED | os.WNOWAIT)
        return ended.si_status if ended else 1, "".join(lines)

    def _start(self, block: Block, text: str) -> None:
        """Have a server run beside what follows, once it says where it serves."""
        if not self._from_nothing:
            # `make run` first installs what is already there when the tests run.
            text = re.sub("^make run$", "symphony serve --dev", text, flags=re.M)
        log = Path(tempfile.mkdtemp(dir=self._directory, prefix=".server")) / "log"
        log.touch()
        served = self._command(block, text)
        command = f"( {served}; echo '{_END}' ) > '{log}' 2>&1 < /dev/null &"
        self._run(command, until_wrong=True)
        deadline = time.monotonic() + START_SECONDS * (10 if self._from_nothing else 1)
        while not self._serves_as_shown(block, log.read_text()):
            late = time.monotonic() > deadline or _END in log.read_text()
            assert not late, f"{block.place}: it does not serve as shown\n{log.read_text()}"
            time.sleep(0.05)
        if self._loud:
            print(f"--- {block.place}\n{block.text}--->\n{log.read_text()}")

    def _serves_as_shown(self, block: Block, log: str) -> bool:
        found = re.search(r" on (127\.0\.0\.1:\d+)$", log, re.M)
        if found is None:
            return False
        self._address = found[1]
        return block.shown is None or matches(block.shown, log.replace(self._address, ADDRESS))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.killpg(self._shell.pid, signal.SIGKILL)  # the shell's own session, and nothing else
        self._shell.communicate()


def follow(page: Path, directory: Path, *, with_token: bool = False, loud: bool = False) -> None:
    """Follow a page in a directory: with a server, if the page does not start one itself, and
    with what names it to a client in the environment, if the page takes that for granted.
    """
    variables = environment(SYMPHONY_CONFIG=str(directory / "config.toml"), COLUMNS="120")
    if any(block.mark == "goes on running" for block in blocks(page)):
        with Reader(directory, variables, loud=loud) as reader:
            reader.follow(page)
        return
    with Server(directory) as server:
        if with_token:
            variables |= {"SYMPHONY_SERVER": server.target, "SYMPHONY_TOKEN": server.token}
        with Reader(directory, variables, address=server.target, loud=loud) as reader:
            reader.follow(page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        follow(Path(sys.argv[1]).resolve(), Path(temporary), loud=True)
