"""Writes the seeds of `corpus/`: `python -m tests.fuzz.make_corpus`.

Seeds are what lets a fuzzer come far at once: good manifests, tokens, records and requests. Files
that are there already and not made here, the findings of earlier runs, stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToJson
from hypothesis import HealthCheck, given, settings

from symphony_server.refusal import Refused
from symphony_server.rpc.methods import Method
from symphony_server.rpc.structure import Structure
from symphony_server.use_cases.page_tokens import PageTokens
from tests.contract.store.audit_world import new_record
from tests.e2e.odd_requests import odd_requests
from tests.fuzz.identity_provider import AUDIENCE, ISSUER, LAST_SECOND, good_token
from tests.fuzz.known_identities import SECRET, USER
from tests.fuzz.target_table import CORPUS
from tests.fuzz.targets.audit_heads import SIGNED
from tests.fuzz.targets.json_web_tokens import GOOD, HEADER
from tests.fuzz.targets.page_tokens import GIVEN, QUERY
from tests.fuzz.targets.page_tokens import KEY as PAGE_TOKEN_KEY
from tests.fuzz.targets.requests import METHODS

MANIFESTS = Path(__file__).parents[1] / "unit" / "manifest" / "corpus"
MOST_MANIFEST_BYTES = 2000
MOST_REQUEST_BYTES = 1000
SEARCH = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
KNOWN = [f"{kind}_01h455vb4pex5vsknk084sn02q" for kind in ("user", "project", "workflow")]

Seeds = Iterator[tuple[str, bytes]]
"""Names and contents."""


def manifests() -> Seeds:
    for path in sorted(MANIFESTS.rglob("*.*ml")) + sorted(MANIFESTS.glob("*/*.json")):
        text = path.read_bytes()
        if len(text) <= MOST_MANIFEST_BYTES:
            yield path.stem[:60], (b"\3" if path.suffix == ".toml" else b"\2") + text
    yield "secret-as-key", b'\0{"name":"x","settings":{"@SECRET@":"@SECRET@"}}'
    yield "secret-in-toml", b'\1name="@SECRET@"\n[hooks]\ninstall="curl -H @SECRET@ x"\n'


def access_tokens() -> Seeds:
    yield "good", b"\1" + SECRET.encode()
    yield "with-blanks", b"\1  " + SECRET.encode() + b" "
    yield "header", b"\0Bearer " + SECRET.encode()
    yield "basic", b"\0Basic YWRtaW46YWRtaW4="
    yield "wrong-checksum", b"\1" + SECRET.encode()[:-1] + b"0"


def page_tokens() -> Seeds:
    written = PageTokens(PAGE_TOKEN_KEY)
    for number, row in enumerate(GIVEN):
        yield f"good-{number}", b"\0" + written.write(QUERY, *row).encode()
        yield f"says-{number}", b"\1" + json.dumps({"k": row[0], "i": row[1]}).encode()
    yield "of-other-kinds", b'\1{"k":null,"i":[1.5,true,"\\ud800"],"z":1e999}'


def json_web_tokens() -> Seeds:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": LAST_SECOND, "sub": USER.id}
    yield "good-ed", b"\0" + GOOD.encode()
    yield "good-ec", b"\0" + good_token("ec", sub="x@example.com").encode()
    variants: dict[str, dict[str, Any]] = {
        "good": {},
        "by-email": {"sub": "x", "email": USER.email, "email_verified": True},
        "several-audiences": {"aud": ["other", AUDIENCE]},
        "expired": {"exp": 1},
        "not-yet": {"nbf": LAST_SECOND, "iat": LAST_SECOND},
        "odd-numbers": {"exp": 1e300, "nbf": -1e300, "iat": "1"},
        "half-a-character": {"sub": "\ud800@example.com", "email": "\ud800@example.com"},
        "nul": {"sub": "\0@example.com"},
        "odd-kinds": {"sub": [1], "email": {"a": "b"}, "iss": [ISSUER], "jti": 7},
    }
    for name, more in variants.items():
        yield f"claims-{name}", b"\1" + json.dumps({**claims, **more}).encode()
    said = json.dumps(claims).encode()
    yield "infinite", b"\1" + said.replace(str(LAST_SECOND).encode(), b"Infinity")
    for name, header in {
        "its-own": HEADER,
        "no-key": b'{"alg":"EdDSA"}',
        "other-key": b'{"alg":"EdDSA","kid":"../ed"}',
        "other-algorithm": b'{"alg":"ES256","kid":"ed"}',
        "none": b'{"alg":"none","kid":"ed"}',
        "shared-secret": b'{"alg":"HS256","kid":"ed"}',
        "critical": b'{"alg":"EdDSA","kid":"ed","crit":["b64"],"b64":false}',
        "embedded-key": b'{"alg":"EdDSA","kid":"ed","jwk":{"kty":"oct","k":"AA"}}',
        "kid-is-a-list": b'{"alg":"EdDSA","kid":["ed"]}',
    }.items():
        yield f"header-{name}", b"\2" + header + b"\n" + said


def audit_records() -> Seeds:
    record = new_record(sequence=7, reason="ROLE_REQUIRED", caller_id="user_2")
    record.evaluation = b"+a\t\t\n-b\tROLE_REQUIRED\tdetail"
    record.violations.add(field="spec.name", reason="FIELD_INVALID", rule="string.min_len")
    yield "denied", record.SerializeToString(deterministic=True)
    yield "allowed", new_record(sequence=1).SerializeToString(deterministic=True)
    record.time.seconds, record.time.nanos = -(2**63), -(2**31)
    yield "before-all-time", record.SerializeToString(deterministic=True)


def audit_heads() -> Seeds:
    yield "good", MessageToJson(SIGNED).encode()
    yield "other-words", MessageToJson(SIGNED, preserving_proto_field_name=True).encode()
    yield "nested", b'{"publicKey":' + b"[" * 1500
    yield "odd-numbers", b'{"treeSize":"1e3","time":"0001-01-01T00:00:00Z","rootHash":"_-"}'


def audit_logs() -> Seeds:
    for what in range(7):
        yield f"change-{what}", bytes((what, 5, 9, 1))
    yield "two", bytes((2, 3, 4, 1, 1, 0, 0, 0))


def requests() -> Seeds:
    for which, (name, method) in enumerate(METHODS):
        yield name.rpartition("/")[2], bytes([which]) + max(_sound(method), key=len, default=b"")


def _sound(method: Method) -> list[bytes]:
    """Some requests that keep to the contract."""
    structure, found = Structure(method), list[bytes]()

    @SEARCH
    @given(body=odd_requests(method.request_class, KNOWN))
    def keep(body: bytes) -> None:
        with suppress(Refused):
            structure.check(structure.parse(body))
            if len(body) < MOST_REQUEST_BYTES:
                found.append(body)

    keep()
    return found


def main() -> None:
    """Write every seed under its target's folder."""
    makers = (
        *(manifests, access_tokens, page_tokens, json_web_tokens),
        *(audit_records, audit_heads, audit_logs, requests),
    )
    for make in makers:
        folder = CORPUS / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in make():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
