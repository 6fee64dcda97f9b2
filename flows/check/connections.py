"""tenant.yaml: the time zone, and each connection's settings. A secret never stands there in clear."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter, ValidationError

from connectors.address import local_endpoints
from flows.check import offers
from flows.check.findings import Findings
from flows.check.marked import Marked, Place, dotted, model, read
from flows.schedules import TimeZone
from flows.tenants import ConnectionSettings, Tenant

POINTER = "secret-manager:"  # then the name of a GcpSecret block


@dataclass(frozen=True, slots=True)
class Described:
    """What a tenant.yaml says, as far as it can be used: None where that part has a mistake."""

    timezone: str | None
    connections: dict[str, ConnectionSettings | None]

    @property
    def zone(self) -> str:
        """The time zone that the rest is looked at with."""
        return self.timezone or "UTC"


def tenant(folder: Path, findings: Findings, *, production: bool) -> Described | None:
    """A tenant's tenant.yaml, None if it cannot be read."""
    marked = read(folder / "tenant.yaml", findings)
    if marked is None:
        return None
    given = dict(cast("Mapping[str, object]", marked.data)) if isinstance(marked.data, dict) else {}
    if given.get("timezone") is None:
        todo = "write the practice's: timezone: America/New_York"
        findings.add(marked.path, marked.line(("timezone",)), "timezone is missing", todo)
        given.pop("timezone", None)
    whole = model(marked, Tenant, findings, given)
    described = _parts(given)
    for name, connection in described.connections.items():
        if connection:
            _check_settings(marked, name, connection, findings, production=production)
    return described if whole or described.connections else None


def _parts(given: Mapping[str, object]) -> Described:
    """Each part by itself; what is wrong with it was told."""
    zone: str | None = None
    with suppress(ValidationError):
        zone = TypeAdapter[str](TimeZone).validate_python(given.get("timezone"))
    connections: dict[str, ConnectionSettings | None] = {}
    found = given.get("connections")
    for name, one in cast("Mapping[object, object]", found).items() if isinstance(found, dict) else ():
        connections[str(name)] = None
        with suppress(ValidationError):
            connections[str(name)] = ConnectionSettings.model_validate(one)
    return Described(zone, connections)


def unsealed(described: Described) -> Iterator[str]:
    """The connections that need a secret which is not in tenant.yaml, so in a sealed block."""
    for name, connection in described.connections.items():
        needed = offers.secrets(connection.connector).items() if connection else ()
        if connection and {key for key, required in needed if required} - set(connection.settings):
            yield name


def _check_settings(
    marked: Marked, name: str, connection: ConnectionSettings, findings: Findings, *, production: bool
) -> None:
    secret = offers.secrets(connection.connector)
    absent = {key for key, needed in secret.items() if needed}  # not to be looked at: they are elsewhere
    for key, value in connection.settings.items():
        place = ("connections", name, "settings", key)
        line = marked.line(place)
        pointer = value.startswith(("$", POINTER))
        if pointer or key in secret:
            absent.add(key)
        if key in secret and not pointer:
            todo = f"remove it, have it changed, and run: ferry connect {marked.path.parent.name} {name}"
            findings.add(marked.path, line, f"{dotted(place)} is a secret written in clear", todo)
        if value.startswith("$") and production:
            todo = "write it there, or seal it with ferry connect if it is a secret"
            findings.add(marked.path, line, f"{dotted(place)} comes from the environment", todo)
        if production and local_endpoints(offers.credentials(connection.connector), {key: value}):
            todo = "name the system's own address"
            findings.add(marked.path, line, f"{dotted(place)} is on this machine, where stand-ins are", todo)
    _check_values(marked, name, connection, absent, findings)


def _check_values(
    marked: Marked, name: str, connection: ConnectionSettings, absent: set[str], findings: Findings
) -> None:
    """What is written, by the connector's own model. What is not there is not spoken of."""
    kind = offers.credentials(connection.connector)
    stand_in = {key: offers.placeholder(key) for key in absent if key in kind.model_fields}
    written = {key: value for key, value in connection.settings.items() if key not in stand_in}
    whole = stand_in.keys() <= offers.secrets(connection.connector).keys()
    try:
        kind.model_validate({**written, **stand_in})
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False, include_context=False):
            loc = one["loc"]
            if (loc and loc[0] in stand_in) or not (loc or whole):
                continue
            place: Place = ("connections", name, "settings", *loc)
            what = f"{dotted(place)}: {one['msg'].removeprefix('Value error, ')}"
            todo = "correct it"
            if one["type"] == "extra_forbidden":
                what = f"{dotted(place)} is no setting of {connection.connector}"
                todo = f"remove it; there are: {', '.join(kind.model_fields)}"
            elif one["type"] == "missing":
                what, todo = f"{dotted(place)} is missing", "write it there"
            findings.add(marked.path, marked.line(place), what, todo)
