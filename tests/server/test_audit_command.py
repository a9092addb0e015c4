"""`symphony audit …`: what the operator is told of the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson, Parse
from typer.testing import CliRunner, Result

from symphony.v1.audit_pb2 import AuditTreeHead
from symphony.v1.audit_service_pb2 import GetAuditTreeHeadRequest
from symphony_client.audit import verify_tree_head
from symphony_server.cli import app
from symphony_server.store.merkle import node_count
from symphony_server.use_cases.audit.signing import HeadSigner
from tests import engines
from tests.server.world import World

ENGINES = engines.ALL


def audit(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments])


def verify(world: World, *heads: Path) -> Result:
    kept = [argument for head in heads for argument in ("--head", str(head))]
    return audit("verify", "--database", world.database_url, *kept)


def keep_head(world: World, name: str) -> Path:
    printed = audit("head", "--database", world.database_url)
    assert printed.exit_code == 0
    path = world.directory / name
    path.write_text(printed.stdout)
    return path


def read_head(path: Path) -> AuditTreeHead:
    return Parse(path.read_text(), AuditTreeHead())


def test_a_head_that_is_printed_is_the_servers_own(world: World) -> None:
    printed = read_head(keep_head(world, "head.json"))
    served = world.admin.get(world.admin.audits.GetAuditTreeHead, GetAuditTreeHeadRequest())
    verify_tree_head(printed, served.public_key)
    assert printed.root_hash == served.root_hash


def test_a_whole_log_is_verified_beside_a_running_server(world: World) -> None:
    kept = keep_head(world, "head.json")
    world.user()
    told = verify(world, kept)
    assert told.exit_code == 0
    size = len(world.audit())
    assert told.stdout.startswith(f"{size} records are as they were written, root ")
    assert f"they go on from the head in {kept}" in told.stdout


def test_the_first_bad_record_is_named(world: World) -> None:
    world.user()
    world.execute("UPDATE audit_log SET record = substr(record, 1, 20) WHERE sequence = 3")
    told = verify(world)
    assert told.exit_code == 1
    assert told.stdout == ""
    assert told.stderr.startswith("symphony: record 3 ")


def test_a_log_that_was_cut_off_is_found_by_a_kept_head(world: World) -> None:
    world.user()
    kept = keep_head(world, "head.json")
    size = len(world.audit())
    # The last record and all the hashes that came with it.
    world.execute(
        "DELETE FROM audit_log WHERE sequence = (SELECT max(sequence) FROM audit_log)",
        f"DELETE FROM audit_nodes WHERE position >= {node_count(size - 1)}",  # noqa: S608
    )
    assert verify(world).exit_code == 0
    told = verify(world, kept)
    assert told.exit_code == 1
    assert told.stderr.startswith(f"symphony: record {size} is not there")


def test_a_head_that_says_nothing_about_this_log_is_refused(world: World) -> None:
    whole = read_head(keep_head(world, "head.json"))
    changed = AuditTreeHead()
    changed.CopyFrom(whole)
    changed.tree_size -= 1
    foreign = HeadSigner(bytes(32)).sign(whole.tree_size, whole.root_hash, 1)
    path = world.directory / "other.json"
    for head, words in ((changed, "is not signed"), (foreign, "another key")):
        path.write_text(MessageToJson(head, preserving_proto_field_name=True))
        told = verify(world, path)
        assert told.exit_code == 1
        assert words in told.stderr
        assert str(path) in told.stderr


@pytest.mark.parametrize("text", ["", "no JSON", '{"treeSize": "x"}', '{"size": 1}'])
def test_a_file_without_a_head_is_refused(world: World, text: str) -> None:
    path = world.directory / "head.json"
    path.write_text(text)
    told = verify(world, path)
    assert told.exit_code == 1
    assert "has no tree head" in told.stderr


def test_a_database_that_is_not_there_is_not_a_log_without_faults(tmp_path: Path) -> None:
    for command in ("verify", "head"):
        told = audit(command, "--database", f"sqlite:///{tmp_path / 'none.db'}")
        assert told.exit_code == 1
        assert "there is no database" in told.stderr
    assert not list(tmp_path.iterdir())


def test_a_missing_head_file_is_told(world: World) -> None:
    told = verify(world, world.directory / "none.json")
    assert told.exit_code == 1
    assert "none.json" in told.stderr
