"""The edge with a certificate: TLS 1.2 and up, HTTP/2 by ALPN, and nothing in the clear."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.stack import Edge, open_edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """The edge, and the file that its clients trust."""

    edge: Edge
    certificate: Path


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = self_signed(folder)
    with open_edge(folder / "edge", tls_certificate=certificate, tls_key=key) as edge:
        yield Secured(edge=edge, certificate=certificate)


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "c.pem", folder / "k.pem"


def test_rest(secured: Secured) -> None:
    assert secured.edge.url.startswith("https://")
    with requests.get(
        f"{secured.edge.url}/health", verify=str(secured.certificate), timeout=5
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert secured.edge.backend.last.metadata["x-forwarded-proto"] == "https"


def test_grpc(secured: Secured) -> None:
    trust = grpc.ssl_channel_credentials(secured.certificate.read_bytes())
    with grpc.secure_channel(secured.edge.target, trust) as channel:
        assert channel.unary_unary("/tasty.v1.SystemService/GetHealth")(b"") == b""


@pytest.mark.parametrize(
    ("version", "offered", "chosen"),
    [
        (ssl.TLSVersion.TLSv1_2, ["h2", "http/1.1"], "h2"),
        (ssl.TLSVersion.TLSv1_3, ["h2", "http/1.1"], "h2"),
        (ssl.TLSVersion.TLSv1_3, ["http/1.1"], "http/1.1"),
    ],
)
def test_versions(
    secured: Secured, version: ssl.TLSVersion, offered: list[str], chosen: str
) -> None:
    context = ssl.create_default_context(cafile=str(secured.certificate))
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(offered)
    with (
        socket.create_connection(("127.0.0.1", secured.edge.envoy.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as wire,
    ):
        assert wire.version() == version.name.replace("_", ".")
        assert wire.selected_alpn_protocol() == chosen


def test_old_ciphers_are_refused(secured: Secured) -> None:
    context = ssl.create_default_context(cafile=str(secured.certificate))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:AES128-SHA:AES256-SHA256:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", secured.edge.envoy.port), timeout=5) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_plain_http_is_refused(secured: Secured) -> None:
    secured.edge.backend.calls.clear()
    url = secured.edge.url.replace("https", "http")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/health", timeout=5)
    assert not secured.edge.backend.calls
