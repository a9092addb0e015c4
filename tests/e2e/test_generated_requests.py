"""Requests made from the descriptors: each ends in an answer or in a canonical error.

`SYMPHONY_TEST_EXAMPLES=2000 .venv/bin/pytest tests/e2e/test_generated_requests.py` asks for
more of them, and for others every time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from symphony_server.rpc.methods import read_methods
from symphony_server.rpc.services import ENDPOINTS
from tests import engines
from tests.e2e.known_things import make_known_things
from tests.e2e.odd_requests import odd_requests
from tests.e2e.place import Place, open_place
from tests.e2e.wire import shows_as_json
from tests.engines import NewDatabase

METHODS = {name: method for name, method in read_methods().items() if name in ENDPOINTS}
UNARY = sorted(name for name, method in METHODS.items() if not method.streams)

ASKED_FOR = os.environ.get("SYMPHONY_TEST_EXAMPLES", "")
EXAMPLES = settings(
    max_examples=int(ASKED_FOR or 30),
    derandomize=not ASKED_FOR,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module", params=engines.ALL)
def place(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: NewDatabase,
) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("generated")
    with open_place(directory, "--database", new_database(request.param, directory)) as made:
        yield made


@pytest.mark.timeout(60 + 3 * EXAMPLES.max_examples)
@pytest.mark.parametrize("method", UNARY)
def test_a_generated_request_ends_in_an_answer_or_a_canonical_error(
    place: Place, method: str
) -> None:
    known = make_known_things(place)
    callers = (place.wire.as_user(str(known.owner.secret)), place.wire)

    @EXAMPLES
    @given(body=odd_requests(METHODS[method].request_class, known.ids))
    def send(body: bytes) -> None:
        for wire in callers:
            answer = wire.ask(method, body)
            if isinstance(answer, bytes):
                shows_as_json(method, answer)

    send()


@pytest.mark.parametrize("method", UNARY)
def test_a_method_takes_no_message_as_an_empty_one(place: Place, method: str) -> None:
    empty, nothing = place.wire.send(method, b""), place.wire.send_messages(method)
    assert (empty is None) == (nothing is None)
    if empty is not None and nothing is not None:
        assert (nothing.code, nothing.message) == (empty.code, empty.message)


@pytest.mark.parametrize("method", UNARY)
def test_bytes_that_are_no_message_are_told_as_such(place: Place, method: str) -> None:
    anonymous = METHODS[method].anonymous
    for body in (b"\xff\xfe\xfd", b"\x0a\x7f", b"\x0b"):
        refusal = place.wire.send(method, body)
        assert refusal is not None
        assert refusal.reason == "FIELD_INVALID"
        assert "do not decode" in refusal.message
        unknown = place.wire.send(method, body, metadata=())
        assert unknown is not None
        assert unknown.reason == ("FIELD_INVALID" if anonymous else "CREDENTIALS_MISSING")


def test_what_is_not_in_the_contract_is_unimplemented(place: Place) -> None:
    for method in ("symphony.v1.WorkflowService/Nothing", "x.Y/Z", "", "x"):
        with pytest.raises(Exception, match="UNIMPLEMENTED"):
            place.wire.answer(method, b"")
