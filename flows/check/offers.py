"""What a connector offers, known without reaching it: its settings, its writes, its lookups."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from json import dumps, loads

from pydantic import BaseModel

from connectors.entry import Category, EntryField
from connectors.healthie.fields import catalogue
from connectors.holding import Holding
from connectors.operation import Lookup, Write
from connectors.tabular import Table
from flows.systems import NOWHERE, SYSTEMS
from flows.tenants import Connectors, Target


@dataclass(frozen=True, slots=True)
class Offered:
    """What a target can do, by the writes' and lookups' own names, and what may be in it."""

    writes: Mapping[str, Write]
    lookups: Mapping[str, Lookup]
    holds: Holding


def credentials(connector: Connectors) -> type[BaseModel]:
    """The model of a connector's settings and secrets."""
<<<<<<< HEAD
    if connector == "healthie":
        from connectors.healthie import HealthieCredentials

        return HealthieCredentials
    if connector == "sql":
        from connectors.sql import SqlCredentials

        return SqlCredentials
    if connector == "csv":
        from connectors.csv import CsvCredentials

        return CsvCredentials
    if connector == "hubspot":
        from connectors.hubspot import HubSpotCredentials

        return HubSpotCredentials
    if connector == "probe":
        from connectors.sandbox.probe import ProbeCredentials

        return ProbeCredentials
    from agent.access import Access

    return Access
=======
    return SYSTEMS[connector].credentials
>>>>>>> frame5


def secrets(connector: Connectors) -> dict[str, bool]:
    """The names of what is secret of a connector, and whether it is needed."""
    system = SYSTEMS[connector]
    return {name: name in system.needed for name in system.secrets}


def options(connector: Connectors) -> type[BaseModel] | None:
    """The model of a target's `options`, None where it has none."""
<<<<<<< HEAD
    if connector == "csv":
        from connectors.csv import Format

        return Format
    if connector == "hubspot":
        from connectors.hubspot import HubSpotOptions

        return HubSpotOptions
    return None
=======
    return SYSTEMS[connector].options
>>>>>>> frame5


def offered(connector: Connectors, target: Target) -> Offered:
    """What a target with these tables and options offers.

<<<<<<< HEAD
        return Healthie.holds
    if connector == "hubspot":
        from connectors.hubspot import HubSpot

        return HubSpot.holds
    with closing(_unconnected(connector)([])) as unconnected:
        return unconnected.holds


def writes(connector: Connectors, target: Target) -> tuple[dict[str, Write], dict[str, Lookup]]:
    """The writes and the lookups, by their own names, of a target with these tables.

    Raises ValueError if the tables do not go together.
    """
    if connector == "healthie":
        return _healthie()
    tables = [table.table() for table in target.tables]
    if connector == "hubspot":
        return _hubspot(target)
    with closing(_unconnected(connector)(tables)) as unconnected:
        return dict(unconnected.writes()), dict(unconnected.lookups())


@cache
def _healthie() -> tuple[dict[str, Write], dict[str, Lookup]]:
    from connectors.healthie import Healthie, HealthieCredentials

    known = HealthieCredentials(url=NOWHERE, api_key=SecretStr("none"))
    with closing(Healthie(known, read_only=True)) as healthie:
        return dict(healthie.writes()), dict(healthie.lookups())


def _hubspot(target: Target) -> tuple[dict[str, Write], dict[str, Lookup]]:
    from connectors.hubspot import HubSpot, HubSpotCredentials, HubSpotOptions

    known = HubSpotCredentials(url=NOWHERE, access_token=SecretStr("none"))
    tables = [table.table() for table in target.tables]
    with closing(HubSpot(known, tables, HubSpotOptions.model_validate(dict(target.options)))) as unconnected:
        return dict(unconnected.writes()), dict(unconnected.lookups())


def _unconnected(connector: Connectors) -> Callable[[list[Table]], Connector]:
    if connector == "sql":
        from connectors.sql import Sql, SqlCredentials

        return lambda tables: Sql(SqlCredentials(url=SecretStr("sqlite:////nowhere")), tables)
    if connector == "csv":
        from pathlib import Path

        from connectors.csv import Csv, CsvCredentials

        return lambda tables: Csv(CsvCredentials(folder=Path()), tables)
    if connector == "probe":
        from connectors.sandbox.probe import Probe, ProbeCredentials

        return lambda _tables: Probe(ProbeCredentials(url=NOWHERE))
    raise ValueError(f"{connector} cannot be a target")
=======
    Raises ValueError if the tables do not go together, or the connector cannot be a target.
    """
    tables = tuple(table.table().model_dump_json() for table in target.tables)
    return _offered(connector, tables, dumps(target.options, sort_keys=True))


@cache
def _offered(connector: Connectors, tables: tuple[str, ...], options: str) -> Offered:
    """Made once of what is told: many integrations have the same target."""
    system = SYSTEMS[connector]
    if system.target is None:
        raise ValueError(f"{connector} cannot be a target")
    declared = [Table.model_validate_json(table) for table in tables]
    with closing(system.target(system.nowhere, declared, loads(options))) as unconnected:
        return Offered(dict(unconnected.writes()), dict(unconnected.lookups()), unconnected.holds)
>>>>>>> frame5


@cache
def fields() -> Mapping[str, EntryField]:
    """The fields that an entry of the source may have."""
    return catalogue()


def known(paths: Iterable[str]) -> tuple[EntryField, ...]:
    """Those of these fields that the source has."""
    there = fields()
    return tuple(there[path] for path in paths if path in there)


def category(path: str) -> Category | None:
    """What kind of patient data a field of the source is; None if there is no such field."""
    found = fields().get(path)
    return found.category if found else None


def placeholder(name: str) -> str:
    """What stands for a value that is not in the file, while the others are looked at."""
    return NOWHERE if name.endswith("url") else "0"
