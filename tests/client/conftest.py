"""The worlds of the client's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.contract_server import ContractServer


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with ContractServer() as running:
        yield running


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYMPHONY_PREVALIDATION", raising=False)
