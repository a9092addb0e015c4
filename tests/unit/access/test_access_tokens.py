from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from symphony.v1.access_pb2 import Token
from symphony_server.access.caller import NOBODY, Caller
from symphony_server.access.credentials import is_well_formed, new_secret, secret_hash


def test_a_new_secret_is_well_formed_and_like_no_other() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(is_well_formed(secret) for secret in secrets)
    assert all(len(secret) == 53 and secret.startswith("sym_") for secret in secrets)
    assert len({secret_hash(secret) for secret in secrets}) == 100


@given(st.integers(0, 52), st.characters(codec="utf-8"))
def test_a_mistyped_character_is_found_without_a_lookup(position: int, typed: str) -> None:
    secret = new_secret()
    changed = secret[:position] + typed + secret[position + 1 :]
    assert is_well_formed(changed) == (changed == secret)


@given(st.text(max_size=60))
def test_text_is_no_secret(text: str) -> None:
    assert not is_well_formed(text)


def test_scopes_cover_permissions_by_prefix() -> None:
    def covers(scopes: list[str], permission: str) -> bool:
        return Caller(NOBODY, NOBODY, token=Token(scopes=scopes)).scope_covers(permission)

    assert covers([], "users.read")
    assert covers(["*"], "users.read")
    assert covers(["users."], "users.read")
    assert covers(["a.b", "users.read"], "users.read")
    assert not covers(["users.read"], "users.read_all")
    assert not covers(["users"], "users.read")
    assert not covers(["workflows."], "users.read")
    assert not covers(["workflows.read"], "workflows.")
