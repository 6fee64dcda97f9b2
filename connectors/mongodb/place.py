"""Where a MongoDB is: which connection strings are accepted, and what is made of them.

An option may read local files, weaken TLS or lead elsewhere, so only a few are known. Nothing is resolved.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from pydantic import SecretStr

from connectors.address import LOOPBACK, endpoint

SCHEMES = {"mongodb": False, "mongodb+srv": True}
PORT = 27017
OPTIONS = ("authSource", "replicaSet", "tls", "ssl", "tlsCAFile", "authMechanism")  # ours to follow
SAID = {  # what a vendor's ready-made string carries: it must agree with what is done anyway
    "retryWrites": ("true", "false"), "w": ("majority",), "appName": None, "readPreference": ("primary",),
    "directConnection": ("false",),
}  # fmt: skip
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1")

_DATABASE = re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """One database of one deployment. `hosts` are (name, port); a `service` is one name that DNS resolves."""

    hosts: tuple[tuple[str, int], ...]
    service: bool
    database: str
    user: str | None = None
    password: SecretStr | None = None
    options: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def local(self) -> bool:
        """A server on this machine."""
        return all(host in LOOPBACK for host, _ in self.hosts)

    @property
    def addresses(self) -> list[str]:
        """The hosts as endpoints, for the rule that all connectors have."""
        return [address_of(host, port) for host, port in self.hosts]

    @property
    def identity(self) -> str:
        """The hosts and the database, without a secret."""
        names = sorted(host if self.service else f"{host}:{port}" for host, port in self.hosts)
        return f"mongodb{'+srv' if self.service else ''}://{','.join(names)}/{self.database}"


def read_url(secret: SecretStr) -> Place:
    """What a connection string says. Raises ValueError, without a word of the string."""
    text = secret.get_secret_value()
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("the url must begin with mongodb:// or mongodb+srv://, and be printable ASCII")
    before, _, query = rest.partition("?")
    authority, _, database = before.partition("/")
    login, at, names = authority.rpartition("@")
    if not _DATABASE.fullmatch(database):
        raise ValueError(
            "the url must name the database after the hosts: mongodb+srv://user:password@host/database"
        )
    hosts = _hosts(names, service=SCHEMES[scheme])
    user, colon, password = login.partition(":")
    if (at and not (user and colon and password)) or "@" in login:
        raise ValueError("the url must hold user:password, with @ : / in them percent-encoded")
    options = _options(query)
    place = Place(
        hosts,
        SCHEMES[scheme],
        database,
        unquote(user) or None,
        SecretStr(unquote(password)) if at else None,
        options,
    )
    _is_safe(place)
    return place


def address_of(host: str, port: int | None) -> str:
    """A host as an endpoint."""
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def is_local(url: str) -> bool:
    """Is it a server on this machine? False for what is no connection string."""
    try:
        return read_url(SecretStr(url)).local
    except ValueError:
        return False


def _hosts(names: str, *, service: bool) -> tuple[tuple[str, int], ...]:
    hosts: list[tuple[str, int]] = []
    for name in names.split(","):
        found = _HOST.fullmatch(name)
        if found is None or (found[2] and not 0 < int(found[2]) < 65536):
            raise ValueError("the url must name hosts, with a port or without")
        if service and (found[2] or "," in names or found[1].startswith("[")):
            raise ValueError("a mongodb+srv url names one host, without a port")
        hosts.append((found[1].strip("[]").lower(), int(found[2] or PORT)))
    return tuple(hosts)


def _options(query: str) -> dict[str, str]:
    named = {name.lower(): name for name in (*OPTIONS, *SAID)}
    options: dict[str, str] = {}
    for written, value in parse_qsl(query, keep_blank_values=True):
        name = named.get(written.lower())
        if name is None or name in options:
            raise ValueError(f"the url may only set {', '.join(OPTIONS)}, each once")
        agreed = SAID.get(name)
        if agreed is not None and value.lower() not in agreed:
            raise ValueError(f"{name} may only be {' or '.join(agreed)}")
        if name in OPTIONS:
            options["tls" if name == "ssl" else name] = value
    return options


def _is_safe(place: Place) -> None:
    if place.options.get("tls", "true") != "true" and not place.local:
        raise ValueError("tls may not be switched off beyond this machine")
    if place.options.get("authMechanism", MECHANISMS[0]) not in MECHANISMS:
        raise ValueError(f"authMechanism may only be {' or '.join(MECHANISMS)}")
    if not place.local and place.user is None:
        raise ValueError("the url must hold user:password")
    if not place.local and any(host in LOOPBACK for host, _ in place.hosts):
        raise ValueError("the url must not mix this machine with others")
    if place.local and place.service:
        raise ValueError("a server on this machine is named by mongodb://")
    for address in place.addresses:
        endpoint(address)
