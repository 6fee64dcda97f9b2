"""Which endpoints may be spoken to, in every spelling, and after their names were resolved."""

import ipaddress
import socket
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from pydantic import BaseModel, ValidationError

from connectors.address import (
    Endpoint,
    Reach,
    endpoint,
    host_of,
    is_local,
    is_public,
    local_endpoints,
    place_of,
)
from connectors.errors import Denied, Transient
from tests.connectors.addresses import ACCEPTED, REFUSED

Resolve = Callable[..., object]


class Place(BaseModel):
    url: Endpoint
    other: str = ""


@pytest.mark.parametrize("url", REFUSED)
def test_a_way_inside_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the url ") as refused:
        endpoint(url)

    assert len(url) < 9 or url not in str(refused.value)
    with pytest.raises(ValidationError):
        Place(url=url)


@pytest.mark.parametrize("url", ACCEPTED)
def test_a_public_host_over_tls_and_a_stand_in_are_accepted(url: str) -> None:
    assert endpoint(url) == url
    assert host_of(url) == host_of(url).lower()
    assert place_of(url).startswith(host_of(url)) and place_of(url).rpartition(":")[2].isdecimal()


def test_a_stand_in_is_told_from_a_system() -> None:
    assert is_local("http://127.0.0.1:80/x") and is_local("http://LOCALHOST")
    assert not is_local("https://example.com")
    assert local_endpoints(Place, {"url": "http://[::1]:1", "other": "http://localhost"}) == ("url",)
    assert local_endpoints(Place, {"url": "https://example.com"}) == ()
    assert local_endpoints(Place, {}) == ()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "168.63.129.16", "::1", "::ffff:10.0.0.1", "fd00:ec2::254",
     "fec0::1", "3fff::1",
     "64:ff9b::7f00:1", "2002:a00:1::", "224.0.0.1", "0.0.0.0", "::", "fe80::1%lo", "2001:0:1::1",
     "::8.8.8.8"],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_outside_is_public_also_behind_a_translation(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_name_that_resolves_to_the_inside_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver is the outside system here: its answers are what an attacker's name server says."""
    for answers in (["10.0.0.1"], ["93.184.216.34", "169.254.169.254"], ["::ffff:127.0.0.1"]):
        monkeypatch.setattr(socket, "getaddrinfo", _resolver(answers))
        with pytest.raises(Denied) as denied:
            Reach("brevo", "https://inside.example.com").sure()
        assert str(denied.value) == "brevo: the host is not on the public internet"


@pytest.mark.parametrize(
    ("answer", "let_in"),
    [("10.1.2.3", True), ("172.16.0.1", True), ("192.168.1.1", True), ("8.8.8.8", True),
     ("127.0.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("172.32.0.0", True),
     ("0.0.0.0", False), ("fd00:ec2::254", False), ("::ffff:10.0.0.1", False), ("224.0.0.1", False)],
)  # fmt: skip
def test_where_a_private_network_is_right_the_machine_and_its_host_are_not(
    monkeypatch: pytest.MonkeyPatch, answer: str, let_in: bool
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolver([answer]))
    with nullcontext() if let_in else pytest.raises(Denied):
        Reach("redshift", "https://inside.example.com", inside=True).sure()


def test_a_stand_in_that_is_not_on_this_machine_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(["93.184.216.34"]))

    with pytest.raises(Denied):
        Reach("brevo", "http://localhost:80").sure()


def test_a_name_is_believed_for_a_while_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", _resolver(["93.184.216.34"], asked))
    reach = Reach("brevo", "https://api.example.com")

    reach.sure()
    reach.sure()

    assert asked == ["api.example.com"]


def test_a_name_that_nobody_knows_is_a_matter_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(Transient) as raised:
        Reach("brevo", "https://api.example.com").sure()
    assert raised.value.code == "unreachable"


def _resolver(answers: list[str], asked: list[str] | None = None) -> Resolve:
    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if asked is not None:
            asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port)) for answer in answers]

    return resolve
