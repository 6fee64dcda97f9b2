"""TLS as it is spoken: a server with a certificate of a known authority is believed, no other one is."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from connectors.errors import Rejected, Transient
from connectors.mongodb import Mongo, MongoCredentials
from connectors.sandbox.mongodb import DATABASE, StandIn
from tests.connectors.mongodb.reaching import PATIENTS, states, upsert


def certified(folder: Path, name: str) -> Path:
    """A key and a certificate for this machine, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[StandIn]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified(tmp_path, "known"))
    with StandIn(users={"ferry": "word"}, tls=context) as server:
        yield server


def reached(server: StandIn, options: str) -> Mongo:
    url = f"mongodb://ferry:word@{server.address}/{DATABASE}?authSource=admin&{options}"
    return Mongo(MongoCredentials(url=SecretStr(url), answer=1.5), [PATIENTS])


def test_a_known_authority_is_believed(secured: StandIn, tmp_path: Path) -> None:
    connector = reached(secured, f"tls=true&tlsCAFile={tmp_path / 'known.pem'}")

    assert states(upsert(connector, ("1", {"email": "ana@example.com"}))) == ["done"]
    connector.close()


@pytest.mark.parametrize("options", ["tls=true", "tls=true&tlsCAFile={other}", "tls=false"])
def test_nobody_else_is(secured: StandIn, tmp_path: Path, options: str) -> None:
    connector = reached(secured, options.format(other=certified(tmp_path, "other")))
    with pytest.raises(Transient) as transient:
        upsert(connector, ("1", {"email": "ana@example.com"}))

    assert transient.value.code == "unreachable"
    assert secured.documents("patients") == []
    connector.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_is_none_is_said(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "canary.pem"
    if content is not None:
        path.write_text(content)
    url = f"mongodb://ferry:word@127.0.0.1:1/{DATABASE}?tls=true&tlsCAFile={path}"
    with pytest.raises(Rejected) as rejected:
        Mongo(MongoCredentials(url=SecretStr(url)), [PATIENTS])

    assert rejected.value.code == "bad_url"
    assert "canary" not in str(rejected.value)
    assert rejected.value.__context__ is None
