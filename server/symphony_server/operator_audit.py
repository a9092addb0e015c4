"""The audit log as the operator proves it: `symphony audit …`, on the database itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf.json_format import MessageToJson, Parse, ParseError

from symphony.v1.audit_pb2 import AuditTreeHead
from symphony_server.audit_blocks import block_roots
from symphony_server.audit_verification import Verdict, verify_log
from symphony_server.main import deploy, open_store
from symphony_server.settings import Settings
from symphony_server.store.audit_log import AuditLog
from symphony_server.store.audit_tree import AuditTreeDamaged
from symphony_server.store.database import parse_url
from symphony_server.store.doors import Store
from symphony_server.store.session import DatabaseAddress
from symphony_server.use_cases.audit import signing
from symphony_server.use_cases.audit.get_audit_tree_head import tree_head


class HeadNotTrusted(RuntimeError):
    """A kept head that cannot be read, or that says nothing about this log."""


async def signed_head(settings: Settings) -> str:
    """The signed head of the log as it is now, as JSON."""
    async with _opened(settings) as store:
        signer = (await deploy(settings, store)).head_signer
        return MessageToJson(await store.read(lambda snapshot: tree_head(snapshot, signer)))


async def verify(settings: Settings, kept: Sequence[Path] = ()) -> Verdict:
    """Verify the log as of now against itself and heads kept in files. Writes nothing.

    Raises HeadNotTrusted for a head that was not signed with the database's key.
    """
    heads = {path: read_head(path) for path in kept}
    address = parse_url(settings.database_url)

    async with _opened(settings) as store:
        key = await store.read(lambda snapshot: snapshot.keys.get(signing.KEY_NAME))
        public_key = None if key is None else signing.HeadSigner(key).public_key
        for path, head in heads.items():
            if not signing.is_signed(head):
                raise HeadNotTrusted(f"the head in {path} is not signed by the key that it names")
            if head.public_key != public_key:
                raise HeadNotTrusted(
                    f"the head in {path} was signed with another key than this database's: it is "
                    "of another log, or somebody replaced the key"
                )
        trusted = list(heads.values())
        return await store.read(lambda snapshot: verify_whole(address, snapshot.audit, trusted))


def verify_whole(
    address: DatabaseAddress, log: AuditLog, heads: Sequence[AuditTreeHead] = ()
) -> Verdict:
    """Verify a log against itself and heads that are trusted, as fast as there are processors."""
    try:
        with block_roots(address, log) as blocks:
            return verify_log(log, heads, blocks)
    except AuditTreeDamaged:
        return verify_log(log, heads)


def read_head(path: Path) -> AuditTreeHead:
    """The head that a file has. Raises HeadNotTrusted."""
    try:
        return Parse(path.read_text(), AuditTreeHead())
    except (UnicodeDecodeError, ParseError) as error:
        raise HeadNotTrusted(f"{path} has no tree head: {error}") from error


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    """The store of a database that exists: a misspelt name is not a log without faults."""
    parse_url(settings.database_url).require()
    store = open_store(settings)
    store.start()
    try:
        yield store
    finally:
        await store.close()
