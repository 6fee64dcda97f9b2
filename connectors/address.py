"""Which addresses a connector may speak to: https on the public internet, or a stand-in on this machine.

An endpoint comes from a tenant's settings. One that led into our own network would hand what is there
to whoever wrote it, so it is refused in every spelling: where it is read (`Endpoint`), and again where a
connection is made (`Reach`), because a public name may resolve to a private address.
"""

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel

from connectors.errors import Denied, Transient

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST: Final = 2000  # characters of a URL
AGAIN: Final = 60.0  # seconds that a name's addresses are believed

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)", re.ASCII | re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]|\\")
_HIDDEN = (  # networks that carry an IPv4 address: offset of its last bit, from the right
    (ipaddress.ip_network("::ffff:0:0/96"), 0),
    (ipaddress.ip_network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.ip_network("2002::/16"), 80),  # 6to4
)
_INSIDE = (  # not public, although the registry or Python calls them global
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's host; all other clouds' metadata is private anyway
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("192.88.99.0/24"),
    ipaddress.ip_network("2001::/32"),  # Teredo: carries two addresses, and is dead
    ipaddress.ip_network("fec0::/10"),  # site-local, as private networks once were
    ipaddress.ip_network("3fff::/20"),  # for documentation
)
_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))

Address = IPv4Address | IPv6Address


def endpoint(url: str) -> str:
    """The URL itself, if it may be an endpoint. Nothing is resolved.

    Raises ValueError, without a word of the URL.
    """
    if not 0 < len(url) <= LONGEST or _UNPRINTABLE.search(url):
        raise ValueError("the url must be printable ASCII without blanks and backslashes")
    parts = _split(url)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None or "?" in url or "#" in url:
        raise ValueError("the url must hold no credentials, query or fragment")
    if host in LOOPBACK and parts.scheme in ("http", "https"):
        return url
    if parts.scheme != "https":
        raise ValueError("the url must be https")
    if not _is_public_host(host):
        raise ValueError("the url must name a public host")
    return url


def host_of(url: str) -> str:
    return _split(url).hostname or ""


def place_of(url: str) -> str:
    """`host:port`: names the one system, for a limiter that all who speak to it share."""
    parts = _split(url)
    return f"{parts.hostname or ''}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def is_local(url: str) -> bool:
    """Is it a stand-in on this machine?"""
    return host_of(url) in LOOPBACK


@dataclass(frozen=True, slots=True)
class IsEndpoint:
    """Marks the fields that are endpoints, so that production can refuse a stand-in's. local: is it one?"""

    local: Callable[[str], bool] = is_local


Endpoint = Annotated[str, AfterValidator(endpoint), IsEndpoint()]
"""A credentials' field that names where the system is."""


def local_endpoints(credentials: type[BaseModel], values: Mapping[str, object]) -> tuple[str, ...]:
    """The names of the endpoints among these values that are on this machine."""
    return tuple(
        name
        for name, field in credentials.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, IsEndpoint) and isinstance(value := values.get(name), str) and mark.local(value)
    )


def is_public(address: Address) -> bool:
    """May it be spoken to: is it, and every address that it carries, one of the public internet?"""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        for carried in _carried(address):
            return is_public(carried)
    if any(address in network for network in _INSIDE):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class Reach:
    """What is asked before a connection to an endpoint is made. Safe to use from several threads.

    A stand-in must resolve to this machine, everything else to public addresses alone. What a name resolves
    to afterwards is held by TLS: a host inside has no certificate for it.

    Args:
        inside: a public name may lead into a private network, too: a practice's own, or its VPC.
    """

    def __init__(self, system: str, url: str, *, inside: bool = False) -> None:
        parts = _split(url)
        self._system, self._local, self._inside = system, is_local(url), inside
        self._host, self._port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._until = 0.0
        self._lock = threading.Lock()

    def sure(self) -> None:
        """Raises Denied for an address that is not to be spoken to, Transient if the name is unknown now."""
        with self._lock:
            if time.monotonic() < self._until:
                return
            for address in self._addresses():
                if not self._allows(address):
                    raise Denied("private_address", f"{self._system}: the host is not on the public internet")
            self._until = time.monotonic() + AGAIN

    def _allows(self, address: Address) -> bool:
        if self._local:
            return address.is_loopback
        return is_public(address) or (self._inside and any(address in network for network in _PRIVATE))

    def _addresses(self) -> Iterator[Address]:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError:
            found = []
        if not found:
            raise Transient("unreachable", f"{self._system}: the host's name is not known now")
        for _, _, _, _, place in found:
            yield ipaddress.ip_address(str(place[0]))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = parts.port != 0  # raises for one that is no number
    except ValueError:
        sound, parts = False, urlsplit("")
    if not sound:
        raise ValueError("the url is malformed")
    return parts


def _is_public_host(host: str) -> bool:
    """By its spelling alone: a name with a dot, or an address in its one plain form."""
    if ":" in host:
        return _is_public_literal(host)
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:
        return False
    if _NUMBER.fullmatch(labels[-1]):  # 127.1, 0177.0.0.1, 2130706433, 0x7f.1: an address to some resolvers
        return _is_public_literal(host)
    return len(labels) > 1 and labels[-1].lower() not in ("localhost", "local", "internal", "lan", "home")


def _is_public_literal(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return is_public(address)


def _carried(address: IPv6Address) -> Iterator[IPv4Address]:
    for network, shift in _HIDDEN:
        if address in network:
            yield IPv4Address(int(address) >> shift & 0xFFFFFFFF)
