"""Connection strings: what is accepted, what is refused, and that none is shown."""

import ssl

import pytest
from pydantic import SecretStr, ValidationError

from connectors.address import local_endpoints
from connectors.errors import Denied
from connectors.mongodb import Mongo, MongoCredentials
from connectors.mongodb.client import Client
from connectors.mongodb.place import read_url
from tests.connectors.addresses import REFUSED

CANARY = "canary-word"
ATLAS = f"mongodb+srv://ferry:{CANARY}@cluster0.ab1cd.mongodb.net/practice?retryWrites=true&w=majority&appName=Cluster0"
SET = (
    f"mongodb://ferry:p%40ss%2F{CANARY}@b.example.com:27018,a.example.com/practice"
    "?replicaSet=rs0&authSource=admin&tls=true"
)


def test_a_vendors_ready_made_string_is_taken() -> None:
    place = read_url(SecretStr(ATLAS))

    assert (place.hosts, place.service, place.user) == (
        (("cluster0.ab1cd.mongodb.net", 27017),),
        True,
        "ferry",
    )
    assert place.identity == "mongodb+srv://cluster0.ab1cd.mongodb.net/practice"
    assert place.options == {}
    assert not place.local


def test_a_replica_set_is_taken() -> None:
    place = read_url(SecretStr(SET))

    assert place.password == SecretStr(f"p@ss/{CANARY}")
    assert place.identity == "mongodb://a.example.com:27017,b.example.com:27018/practice"


def test_beyond_this_machine_tls_is_verified_and_the_driver_repeats_nothing() -> None:
    client = Client(read_url(SecretStr(SET)), 30.0)
    options = client._client.options
    context = options.pool_options._ssl_context

    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (options.retry_writes, options.retry_reads, options.timeout) == (False, False, 30.0)
    assert client._database.write_concern.document == {"w": "majority", "j": True}
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mongodb://",
        f"postgresql://u:{CANARY}@db.example.com/x",
        f"mongodb://u:{CANARY}@db.example.com",
        f"mongodb://u:{CANARY}@db.example.com/",
        f"mongodb://u:{CANARY}@db.example.com/a.b",
        f"mongodb://u:{CANARY}@db.example.com/$x",
        "mongodb://db.example.com/x",
        f"mongodb://{CANARY}@db.example.com/x",
        f"mongodb://u:p@{CANARY}@db.example.com/x",
        f"mongodb://u:{CANARY}@%2Ftmp%2Fmongodb-27017.sock/x",
        f"mongodb://u:{CANARY}@db.example.com:0/x",
        f"mongodb://u:{CANARY}@db.example.com:99999/x",
        f"mongodb://u:{CANARY}@db.example.com,127.0.0.1/x",
        f"mongodb+srv://u:{CANARY}@db.example.com:27017/x",
        f"mongodb+srv://u:{CANARY}@localhost/x",
        f"mongodb+srv://u:{CANARY}@a.example.com,b.example.com/x",
        *(
            f"mongodb://u:{CANARY}@db.example.com/x?{option}"
            for option in (
                "tls=false",
                "ssl=false",
                "tlsInsecure=true",
                "tlsAllowInvalidCertificates=true",
                "tlsAllowInvalidHostnames=true",
                "tlsDisableOCSPEndpointCheck=true",
                "tlsCertificateKeyFile=/etc/ssl/private/key.pem",
                "proxyHost=10.0.0.1",
                "authMechanism=PLAIN",
                "authMechanism=MONGODB-X509",
                "authMechanismProperties=AWS_SESSION_TOKEN:x",
                "w=1",
                "w=0",
                "readPreference=secondary",
                "directConnection=true",
                "compressors=zlib",
                "serverMonitoringMode=stream",
                "srvServiceName=x",
                "tls=true&TLS=true",
                CANARY,
            )
        ),
        *(
            f"mongodb://u:{CANARY}@{url[8:]}/x"
            for url in REFUSED
            if url.startswith("https://") and len(url) > 8
        ),
    ],
)
def test_an_unsafe_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MongoCredentials(url=SecretStr(url))

    assert CANARY not in str(refused.value)


def test_only_a_server_on_this_machine_is_local() -> None:
    def local(url: str) -> bool:
        return local_endpoints(MongoCredentials, {"url": url}) == ("url",)

    assert local("mongodb://127.0.0.1:27017/practice")
    assert local("mongodb://localhost,127.0.0.1:27018/practice")
    assert not any(map(local, (ATLAS, SET, "mongodb://", "http://127.0.0.1:27017/practice")))


def test_a_public_name_with_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.7", 27017))])
    connector = Mongo(MongoCredentials(url=SecretStr(SET)), [])
    with pytest.raises(Denied):
        connector.check()
    connector.close()
