"""Servers that lead elsewhere: nothing is sent to a host that the url might not have named itself."""

import socket
import threading
from collections.abc import Iterator

import pytest

from connectors.errors import Denied, Transient
from connectors.mongodb.hosts import Host, Hosts
from connectors.sandbox.mongodb import Server, StandIn
from tests.connectors.mongodb.reaching import PATIENTS, mongo, upsert

ELSEWHERE = "127.0.0.2"  # of this machine too, but none that a url may name
PUBLIC, INSIDE, GONE = "db.example.com", "inside.example.com", "gone.example.com"
ADDRESSES = {PUBLIC: "93.184.216.34", INSIDE: "10.0.0.7"}


class Other(Server):
    """A server that the first one takes for the primary of its set."""

    def server_bind(self) -> None:
        self.server_address = (ELSEWHERE, 0)
        super().server_bind()


@pytest.fixture
def other() -> Iterator[Other]:
    with Other() as server:
        server.state.address = f"{ELSEWHERE}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def test_a_server_that_leads_elsewhere_is_not_followed(other: Other) -> None:
    with StandIn() as server:
        server.server.state.address = other.state.address
        connector = mongo(server, PATIENTS)
        connector.check()  # of nobody: the servers say who they are
        with pytest.raises(Denied):
            upsert(connector, ("1", {"email": "ana@example.com"}))
        connector.close()

    assert other.commands["update"] == 0


@pytest.mark.parametrize(
    ("local", "host"),
    [
        (True, (ELSEWHERE, 27017)),
        (True, (PUBLIC, 27017)),
        (False, ("localhost", 27017)),
        (False, ("127.0.0.1", 27017)),
        (False, ("10.0.0.7", 27017)),
        (False, ("::1", 27017)),
        (False, (INSIDE, 27017)),
        (False, ("/run/mongodb-27017.sock", None)),
    ],
)
def test_a_host_inside_is_denied(monkeypatch: pytest.MonkeyPatch, *, local: bool, host: Host) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(Denied):
        Hosts(local=local).sure([host])


def test_a_set_goes_on_without_one_of_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    hosts = Hosts(local=False)
    hosts.sure([(GONE, 27017), (PUBLIC, 27017)])
    with pytest.raises(Transient):
        hosts.sure([(GONE, 27017)])


def resolved(host: str, port: int, **_: object) -> list[object]:
    if host not in ADDRESSES:
        raise OSError
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ADDRESSES[host], port))]
