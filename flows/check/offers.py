"""What a connector offers, known without reaching it: its settings, its writes, its lookups.

Connectors are imported when a tenant names them: together they take a second.
"""
# ruff: noqa: PLC0415

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from connectors.base import Connector
from connectors.entry import Category, EntryField
from connectors.holding import Holding
from connectors.operation import Lookup, Write
from connectors.tabular import Table
from flows.tenants import ConnectionSettings, Connectors, Integration, Target

Reached = Mapping[str, ConnectionSettings] | Mapping[str, ConnectionSettings | None]
"""A tenant's connections by name; None: what is said of it cannot be used."""

SOURCES: tuple[Connectors, ...] = ("healthie", "hubspot")  # that entries can be read from
NOWHERE = "http://127.0.0.1:9"  # nothing is sent there: only what is declared is looked at


def credentials(connector: Connectors) -> type[BaseModel]:
    """The model of a connector's settings and secrets."""
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


def secrets(connector: Connectors) -> dict[str, bool]:
    """The names of what is secret of a connector, and whether it is needed."""
    fields = credentials(connector).model_fields
    return {name: field.is_required() for name, field in fields.items() if _is_secret(field.annotation)}


def _is_secret(annotation: Any) -> bool:  # a type as it was written, of any kind
    return annotation is SecretStr or SecretStr in get_args(annotation)


def options(connector: Connectors) -> type[BaseModel] | None:
    """The model of a target's `options`, None where it has none."""
    if connector == "csv":
        from connectors.csv import Format

        return Format
    if connector == "hubspot":
        from connectors.hubspot import HubSpotOptions

        return HubSpotOptions
    return None


def holding(connector: Connectors) -> Holding:
    """What a system may hold of patients. Raises ValueError for one that cannot be a target."""
    if connector == "healthie":
        from connectors.healthie import Healthie

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


def source_options(connector: Connectors) -> type[BaseModel] | None:
    """The model of a source's options, None where it has none."""
    return None


def fields(integration: Integration, connections: Reached) -> Mapping[str, EntryField]:
    """The fields that an entry of the integration's source may have.

    Raises ValueError if nothing can be read through that connection, or not with these options.
    """
    reached = connections.get(integration.source)
    connector = reached.connector if reached else ""
    if connector == "healthie":
        from connectors.healthie.fields import catalogue

        return catalogue()
    if connector == "hubspot":
        from connectors.hubspot.fields import catalogue as properties

        return properties()
    raise ValueError(f"source is {integration.source}, which entries cannot be read from")


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
