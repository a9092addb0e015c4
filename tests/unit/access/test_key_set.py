"""The provider's keys are read when they are needed, and no oftener than it can bear."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from symphony_server.access import key_set
from symphony_server.access.key_set import MAX_BYTES, REFRESH_SECONDS, RETRY_SECONDS, KeySet
from tests.server.identity_provider import Provider


class Timer:
    """A clock that goes on when it is told to, and a little whenever it is read."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        self.seconds += 0.001
        return self.seconds


class Document:
    """A JWKS document that counts how often it is read; `text` is what it says, None that it
    cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.provider = Provider(path)
        self.text: str | None = path.read_text()
        self.reads = 0
        self.begun = threading.Event()
        self.held = threading.Event()
        self.held.set()

    def publish(self, *key_ids: str) -> None:
        self.provider.publish(*key_ids)
        self.text = self.provider.path.read_text()

    def read_bytes(self) -> bytes:
        self.reads += 1
        text = self.text
        self.begun.set()
        assert self.held.wait(10)
        if text is None:
            raise OSError("no route to the provider")
        return text.encode()


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> Timer:
    made = Timer()
    monkeypatch.setattr(key_set, "time", made)
    return made


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Document:
    made = Document(tmp_path / "keys.json")
    monkeypatch.setattr(key_set, "Path", lambda _: made)
    return made


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], str]]:
    """Puts a document at a URL of this machine."""
    servers = []

    def begin(body: bytes) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/keys"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


async def has(keys: KeySet, key_id: str) -> bool:
    return await keys.find(key_id) is not None


async def test_calls_that_come_together_read_the_document_once(document: Document) -> None:
    keys = KeySet("keys.json")
    assert all(await asyncio.gather(*(has(keys, key_id) for key_id in ["rsa", "ec", "ed"] * 5)))
    assert document.reads == 1


async def test_a_new_key_is_known_to_all_who_ask_while_the_document_is_read(
    document: Document, timer: Timer
) -> None:
    document.publish("rsa")
    keys = KeySet("keys.json")
    assert await has(keys, "rsa")
    document.publish("rsa", "ec")
    timer.seconds += RETRY_SECONDS + 1
    document.held.clear()
    document.begun.clear()
    first = asyncio.create_task(has(keys, "ec"))
    assert await asyncio.to_thread(document.begun.wait, 10)
    second = asyncio.create_task(has(keys, "ec"))
    await asyncio.sleep(0)
    document.held.set()
    assert all(await asyncio.gather(first, second))
    assert document.reads == 2


async def test_unknown_keys_do_not_have_the_document_read_at_every_call(
    document: Document, timer: Timer
) -> None:
    keys = KeySet("keys.json")
    assert not any([await has(keys, f"unknown {number}") for number in range(20)])
    assert document.reads == 1
    timer.seconds += RETRY_SECONDS + 1
    assert not any([await has(keys, f"unknown {number}") for number in range(20)])
    assert document.reads == 2


async def test_a_provider_that_is_away_is_not_asked_at_every_call(
    document: Document, timer: Timer
) -> None:
    keys = KeySet("keys.json")
    assert await has(keys, "rsa")
    document.text = None
    timer.seconds += REFRESH_SECONDS + 1
    assert all([await has(keys, "rsa") for _ in range(20)])
    assert document.reads == 2
    timer.seconds += RETRY_SECONDS + 1
    assert await has(keys, "rsa")
    assert document.reads == 3


async def test_keys_of_a_provider_that_stays_away_are_believed_no_longer(
    document: Document, timer: Timer, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeySet("keys.json")
    assert await has(keys, "rsa")
    text, document.text = document.text, None
    timer.seconds += 2 * REFRESH_SECONDS - 1
    assert await has(keys, "rsa")
    timer.seconds += RETRY_SECONDS + 1
    assert not await has(keys, "rsa")
    assert "the key set keys.json could not be read" in caplog.text
    document.text = text
    timer.seconds += RETRY_SECONDS + 1
    assert await has(keys, "rsa")


async def test_a_key_that_was_withdrawn_is_not_taken_after_a_minute(
    document: Document, timer: Timer
) -> None:
    keys = KeySet("keys.json")
    assert await has(keys, "rsa")
    document.publish("ec")
    timer.seconds += REFRESH_SECONDS + 1
    assert not await has(keys, "rsa")


async def test_a_document_is_read_from_a_url(tmp_path: Path, serve: Callable[[bytes], str]) -> None:
    provider = Provider(tmp_path / "keys.json")
    keys = KeySet(serve(provider.path.read_bytes()))
    found = await keys.find("ed")
    assert found is not None
    assert found.algorithm_name == "EdDSA"
    assert not await has(keys, "another")


@pytest.mark.parametrize("where", ["file", "url"])
async def test_a_document_that_is_too_long_is_not_taken(
    where: str, tmp_path: Path, serve: Callable[[bytes], str], caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider(tmp_path / "keys.json")
    listed = json.loads(provider.path.read_text())
    body = json.dumps({**listed, "x": "x" * MAX_BYTES}).encode()
    provider.path.write_bytes(body)
    keys = KeySet(serve(body) if where == "url" else str(provider.path))
    assert not await has(keys, "rsa")
    assert f"more than {MAX_BYTES} bytes" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "null",
        "[]",
        "{}",
        '{"keys": "rsa"}',
        '{"keys": [1]}',
        '{"keys": [{}]}',
        "[" * 9999,
    ],
    ids=["text", "null", "list", "empty", "no list", "numbers", "no keys", "deep"],
)
async def test_a_document_that_is_no_key_set_leaves_the_keys_as_they_were(
    text: str, document: Document, timer: Timer, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeySet("keys.json")
    assert await has(keys, "rsa")
    document.text = text
    timer.seconds += RETRY_SECONDS + 1
    assert not await has(keys, "another")
    assert not await has(keys, "yet another")
    assert document.reads == 2
    assert await has(keys, "rsa")
    assert "the key set keys.json could not be read" in caplog.text


async def test_what_answers_in_no_http_is_a_provider_that_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ready\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert not await has(KeySet(f"http://127.0.0.1:{port}/keys"), "rsa")
    assert "could not be read" in caplog.text
