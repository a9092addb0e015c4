"""Asks the server beside it, by gRPC's health protocol, whether it serves.

Exits with 0 if it does, with 1 if not, and prints what it met. It reads `SYMPHONY_LISTEN` and
`SYMPHONY_TLS_CERT` as the server does, so it runs where the server runs, with its environment.
A server with `SYMPHONY_TLS_REQUIRE_CLIENT_CERT` answers nobody without a certificate, this neither.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import grpc
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_SECONDS: Final = 3
LOOPBACK_OF: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - not bound to here


def main() -> int:
    """Returns the exit code."""
    request = health_pb2.HealthCheckRequest()
    try:
        with open_channel() as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)  # its types know no methods
            response = stub.Check(request, timeout=TIMEOUT_SECONDS)
    except grpc.RpcError as error:
        refused: Any = error  # a grpc.Call as well
        print(refused.code().name)
        return 1
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))
    return int(response.status != health_pb2.HealthCheckResponse.SERVING)


def open_channel() -> grpc.Channel:
    """A channel to the server, from the same machine."""
    host, _, port = os.environ.get("SYMPHONY_LISTEN", "127.0.0.1:50051").rpartition(":")
    target = f"{LOOPBACK_OF.get(host, host)}:{port}"
    certificate = os.environ.get("SYMPHONY_TLS_CERT")
    if not certificate:
        return grpc.insecure_channel(target)
    # Just this certificate is trusted, whoever issued it and whatever name it is for.
    chain = Path(certificate).read_bytes()
    return grpc.secure_channel(
        target,
        grpc.ssl_channel_credentials(chain),
        [("grpc.ssl_target_name_override", name_in(chain))],
    )


def name_in(chain: bytes) -> str:
    """A name that a certificate is for. Raises ExtensionNotFound if it has none."""
    certificate = x509.load_pem_x509_certificates(chain)[0]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = names.get_values_for_type(x509.DNSName)
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*hosts, *addresses][0].replace("*", "any")


if __name__ == "__main__":
    sys.exit(main())
