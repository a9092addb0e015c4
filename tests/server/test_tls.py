from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

import symphony_client
from symphony.v1.access_pb2 import CredentialKind
from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
from symphony.v1.server_info_service_pb2_grpc import ServerInfoServiceStub
from symphony_server.embedded import EmbeddedServer
from symphony_server.settings import Settings
from tests.server.world import TIMEOUT_SECONDS, read_refusal


class Authority:
    """A certificate authority for one test."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key.public_key(), [], is_ca=True)
        self.pem = directory / f"{name}.pem"
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *names: x509.GeneralName) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), list(names), is_ca=False)
        cert_file, key_file = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert_file, key_file

    def _sign(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        names: list[x509.GeneralName],
        *,
        is_ca: bool,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def settings(directory: Path, authority: Authority, **more: Any) -> Settings:
    cert, key = authority.issue("server", x509.DNSName("localhost"))
    return Settings(
        database_url=f"sqlite:///{directory}/tls.db",
        listen="localhost:0",
        bootstrap_admin="admin@example.com",
        token_file=directory / "token",
        tls_cert=cert,
        tls_key=key,
        **more,
    )


def test_our_client_calls_over_tls(tmp_path: Path, authority: Authority) -> None:
    with EmbeddedServer(settings(tmp_path, authority)) as server:
        token = (tmp_path / "token").read_text().strip()
        with symphony_client.connect(server.target, token=token, tls_ca=authority.pem) as channel:
            me = AccessServiceStub(channel).WhoAmI(WhoAmIRequest())
    assert me.user.email == "admin@example.com"


def test_a_client_certificate_is_the_user_that_it_names(
    tmp_path: Path, authority: Authority
) -> None:
    cert, key = authority.issue("admin", x509.RFC822Name("admin@example.com"))
    stranger_cert, stranger_key = authority.issue("nobody", x509.RFC822Name("x@example.com"))
    configured = settings(
        tmp_path, authority, tls_client_ca=authority.pem, tls_require_client_cert=True
    )
    with EmbeddedServer(configured) as server:
        with symphony_client.connect(
            server.target, tls_ca=authority.pem, tls_cert=cert, tls_key=key
        ) as channel:
            me = AccessServiceStub(channel).WhoAmI(WhoAmIRequest())
        with (
            symphony_client.connect(
                server.target,
                tls_ca=authority.pem,
                tls_cert=stranger_cert,
                tls_key=stranger_key,
            ) as channel,
            pytest.raises(grpc.RpcError) as caught,
        ):
            AccessServiceStub(channel).WhoAmI(WhoAmIRequest())
    assert me.user.email == "admin@example.com"
    assert me.credential_kind == CredentialKind.CREDENTIAL_KIND_CERTIFICATE
    assert read_refusal(caught.value).reason == "CREDENTIALS_INVALID"


def test_a_certificate_of_another_authority_gets_no_connection(
    tmp_path: Path, authority: Authority
) -> None:
    other = Authority(tmp_path, "other")
    cert, key = other.issue("admin", x509.RFC822Name("admin@example.com"))
    configured = settings(
        tmp_path, authority, tls_client_ca=authority.pem, tls_require_client_cert=True
    )
    with EmbeddedServer(configured) as server:
        for tls_cert, tls_key in ((None, None), (cert, key)):
            with (
                symphony_client.connect(
                    server.target,
                    tls_ca=authority.pem,
                    tls_cert=tls_cert,
                    tls_key=tls_key,
                    retry_attempts=1,
                ) as channel,
                pytest.raises(grpc.RpcError) as caught,
            ):
                ServerInfoServiceStub(channel).GetServerInfo(
                    GetServerInfoRequest(), timeout=TIMEOUT_SECONDS
                )
            error: Any = caught.value
            assert error.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tls_require_client_cert": True}, "needs tls_client_ca"),
        ({"tls_cert": "c.pem"}, "belong together"),
        ({"tls_client_ca": "ca.pem"}, "needs tls_cert"),
        ({"jwt_issuer": "x"}, "belong together"),
        ({"listen": "0.0.0.0:50051"}, "--insecure"),
        ({"listen": "example.com:1"}, "--insecure"),
        ({"listen": "nowhere"}, "HOST:PORT"),
        ({"bootstrap_admin": "a@b"}, "needs token_file"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Settings(**given)


def test_loopback_tls_and_insecure_may_listen() -> None:
    for given in (
        {"listen": "[::1]:1"},
        {"listen": "127.0.0.5:1"},
        {"listen": "0.0.0.0:1", "insecure": True},
        {"listen": "0.0.0.0:1", "tls_cert": "c", "tls_key": "k"},
    ):
        assert Settings(**given).listen == given["listen"]
