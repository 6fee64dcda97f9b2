"""What a connector offers, known without reaching it: its settings, its writes, its lookups."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from json import dumps, loads

from pydantic import BaseModel, ValidationError

from connectors.entry import Category, EntryField
from connectors.holding import Holding
from connectors.operation import Lookup, Write
from connectors.tabular import Table
from flows.systems import NOWHERE, SYSTEMS
from flows.tenants import ConnectionSettings, Connectors, Integration, Target

Reached = Mapping[str, ConnectionSettings] | Mapping[str, ConnectionSettings | None]
"""A tenant's connections by name; None: what is said of it cannot be used."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a target can do, by the writes' and lookups' own names, and what may be in it."""

    writes: Mapping[str, Write]
    lookups: Mapping[str, Lookup]
    holds: Holding


def credentials(connector: Connectors) -> type[BaseModel]:
    """The model of a connector's settings and secrets."""
    return SYSTEMS[connector].credentials


def secrets(connector: Connectors) -> dict[str, bool]:
    """The names of what is secret of a connector, and whether it is needed."""
    system = SYSTEMS[connector]
    return {name: name in system.needed for name in system.secrets}


def options(connector: Connectors) -> type[BaseModel] | None:
    """The model of a target's `options`, None where it has none."""
    return SYSTEMS[connector].options


def offered(connector: Connectors, target: Target) -> Offered:
    """What a target with these tables and options offers.

    Raises ValueError if the tables do not go together, or the connector cannot be a target.
    """
    tables = tuple(table.table().model_dump_json() for table in target.tables)
    try:
        return _offered(connector, tables, dumps(target.options, sort_keys=True))
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
    raise ValueError(said.removeprefix("Value error, "))


@cache
def _offered(connector: Connectors, tables: tuple[str, ...], options: str) -> Offered:
    """Made once of what is told: many integrations have the same target."""
    system = SYSTEMS[connector]
    if system.target is None:
        raise ValueError(f"{connector} cannot be a target")
    declared = [Table.model_validate_json(table) for table in tables]
    with closing(system.target(system.nowhere, declared, loads(options))) as unconnected:
        return Offered(dict(unconnected.writes()), dict(unconnected.lookups()), unconnected.holds)


def fields(integration: Integration, connections: Reached) -> Mapping[str, EntryField]:
    """The fields that an entry of the integration's source may have.

    Raises ValueError if nothing can be read through that connection.
    """
    reached = connections.get(integration.source)
    if reached is None or SYSTEMS[reached.connector].source is None:
        raise ValueError(f"source is {integration.source}, which entries cannot be read from")
    return _fields(reached.connector)


@cache
def _fields(connector: Connectors) -> Mapping[str, EntryField]:
    system = SYSTEMS[connector]
    assert system.source is not None
    with closing(system.source(system.nowhere)) as unconnected:
        return unconnected.fields()


def known(there: Mapping[str, EntryField], paths: Iterable[str]) -> tuple[EntryField, ...]:
    """Those of these fields that the source has."""
    return tuple(there[path] for path in paths if path in there)


def categories(there: Mapping[str, EntryField]) -> Callable[[str], Category | None]:
    """What kind of patient data a field of the source is; None if there is no such field."""

    def category(path: str) -> Category | None:
        return there[path].category if path in there else None

    return category


def placeholder(name: str) -> str:
    """What stands for a value that is not in the file, while the others are looked at."""
    return NOWHERE if name.endswith("url") else "0"
