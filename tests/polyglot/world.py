"""Real servers with users of each role, as the vectors name them."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import grpc
from cryptography import x509

from symphony.v1.access_service_pb2 import CreateTokenRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.user_service_pb2 import CreateUserRequest
from tests.e2e.processes import Server
from tests.polyglot.languages import Broken
from tests.server.test_tls import Authority
from tests.server.world import Person

USERS: Final = {
    "developer": (Tier.TIER_ENTERPRISE, Role.ROLE_DEVELOPER),
    "stranger": (Tier.TIER_ENTERPRISE, Role.ROLE_DEVELOPER),
    "free": (Tier.TIER_FREE, Role.ROLE_DEVELOPER),
    "viewer": (Tier.TIER_ENTERPRISE, Role.ROLE_VIEWER),
    "auditor": (Tier.TIER_ENTERPRISE, Role.ROLE_AUDITOR),
}

_FAULT: Final = re.compile(r'"(event": "fault|level": "(error|warning))"')


@contextmanager
def serve(directory: Path, *, tls: bool) -> Iterator[dict[str, str]]:
    """A server, which must not find fault with itself, and the variables that lead to it."""
    directory.mkdir()
    arguments = ["--dev", "--no-rate-limits"]
    variables = {}
    open_channel = grpc.insecure_channel
    if tls:
        authority = Authority(directory)
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        certificate, key = authority.issue("server", loopback)
        arguments += ["--tls-cert", str(certificate), "--tls-key", str(key)]
        variables["SYMPHONY_TLS_CA"] = str(authority.pem)
        credentials = grpc.ssl_channel_credentials(authority.pem.read_bytes())
        open_channel = partial(grpc.secure_channel, credentials=credentials)
    with Server(directory, *arguments) as server:
        with open_channel(server.target) as channel:
            tokens = _tokens(Person(channel, server.token))
        file = directory / "tokens.json"
        file.write_text(json.dumps(tokens))
        yield {
            "SYMPHONY_SERVER": server.target,
            "SYMPHONY_TOKEN": server.token,
            "SYMPHONY_TOKENS": str(file),
            **variables,
        }
        code = server.terminate()
        faults = [line for line in server.log.splitlines() if _FAULT.search(line)]
        if code or faults:
            raise Broken("\n".join([f"the server ended with {code}", *faults]))


def _tokens(admin: Person) -> dict[str, str]:
    """A token for each role."""
    assert admin.secret is not None
    tokens = {"admin": admin.secret, "forged": f"{admin.secret[:-4]}AAAA"}
    for name, (tier, role) in USERS.items():
        user = admin.get(
            admin.users.CreateUser,
            CreateUserRequest(email=f"{name}@example.com", name=name, tier=tier, roles=[role]),
        )
        made = admin.get(admin.access.CreateToken, CreateTokenRequest(user_id=user.id, name="test"))
        tokens[name] = made.secret
    return tokens
