from __future__ import annotations

import datetime
import inspect
import ipaddress
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import symphony_client
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client.channel_options import channel_options
from tests.client import requests
from tests.client.both_apis import Api, both_apis
from tests.client.contract_server import ContractServer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@both_apis
def test_with_certificates_both_sides_know_each_other(
    api: Api, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), cert.read_bytes())],
        root_certificates=cert.read_bytes(),
        require_client_auth=True,
    )

    with ContractServer(credentials=credentials) as server:
        api.call(
            server.target,
            lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
            tls_ca=cert,
            tls_cert=cert,
            tls_key=str(key),
        )

    assert server.attempt.request == requests.get_workflow()


@both_apis
def test_a_server_without_tls_is_not_talked_to_with_it(api: Api, server: ContractServer) -> None:
    with pytest.raises(grpc.RpcError):
        api.call(
            server.target,
            lambda channel: WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow()),
            tls=True,
            token="sym_secret",
            retry_attempts=1,
        )

    assert server.attempts == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": ""}, "target takes HOST:PORT"),
        ({"timeout_seconds": 0}, "timeout_seconds takes a number above 0, not 0"),
        ({"timeout_seconds": float("inf")}, "timeout_seconds takes"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds takes"),
        ({"retry_attempts": 0}, r"retry_attempts takes 1 \(never retry\) to 5, not 0"),
        ({"retry_attempts": 6}, "retry_attempts takes"),
        ({"act_as": "user\r\nx"}, "act_as takes"),
        ({"tls_cert": "cert.pem"}, "tls_cert and tls_key are given together"),
        ({"tls_key": "key.pem"}, "tls_cert and tls_key are given together"),
        ({"tls": False, "tls_ca": "ca.pem"}, "tls=False contradicts"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_what_it_takes(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        symphony_client.connect(**settings)  # type: ignore[arg-type] # one of them is wrong


def test_a_certificate_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pem"):
        symphony_client.connect(tls_ca=tmp_path / "nowhere.pem")


def test_both_apis_take_the_same_arguments() -> None:
    synchronous = inspect.signature(symphony_client.connect)
    asynchronous = inspect.signature(symphony_client.aio.connect)

    assert list(synchronous.parameters.values()) == list(asynchronous.parameters.values())


def test_a_channel_notices_a_dead_server_and_bounds_what_it_takes() -> None:
    options = dict(channel_options(retry_attempts=3))

    keepalive = {
        *("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms"),
        *("grpc.http2.ping_timeout_ms", "grpc.http2.max_pings_without_data"),
    }
    limits = {
        *("grpc.max_metadata_size", "grpc.absolute_max_metadata_size"),
        "grpc.max_receive_message_length",
    }
    assert options.keys() >= keepalive | limits


async def test_an_aio_channel_is_made_where_the_loop_runs(server: ContractServer) -> None:
    async with symphony_client.aio.connect(server.target) as channel:
        answer = await WorkflowServiceStub(channel).GetWorkflow(requests.get_workflow())

    assert not answer.id


def test_calls_go_to_all_servers_behind_a_name() -> None:
    with ContractServer() as one, ContractServer() as other:
        target = f"ipv4:{one.target},{other.target}"
        with symphony_client.connect(target) as channel:
            stub = WorkflowServiceStub(channel)
            made = 0
            # The second connection may be there some calls later than the first.
            while not (one.attempts and other.attempts) and made < 1000:
                stub.GetWorkflow(requests.get_workflow())
                made += 1
        assert one.attempts
        assert other.attempts
