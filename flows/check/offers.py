"""What a connector offers, known without reaching it: its settings, its writes, its lookups.

Connectors are imported when a tenant names them: together they take a second.
"""
# ruff: noqa: PLC0415

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, JsonValue, SecretStr

from connectors.base import Connector
from connectors.entry import Category, EntryField
from connectors.operation import Lookup, Write
from connectors.tabular import Table
from flows.tenants import Connectors, Target

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
    if connector == "mongodb":
        from connectors.mongodb import MongoCredentials

        return MongoCredentials
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
    if connector == "mongodb":
        from connectors.mongodb import MongoOptions

        return MongoOptions
    return None


def writes(connector: Connectors, target: Target) -> tuple[dict[str, Write], dict[str, Lookup]]:
    """The writes and the lookups, by their own names, of a target with these tables.

    Raises ValueError if the tables do not go together.
    """
    if connector == "healthie":
        return _healthie()
    tables = [table.table() for table in target.tables]
    with closing(_unconnected(connector, target.options)(tables)) as unconnected:
        return dict(unconnected.writes()), dict(unconnected.lookups())


@cache
def _healthie() -> tuple[dict[str, Write], dict[str, Lookup]]:
    from connectors.healthie import Healthie, HealthieCredentials

    known = HealthieCredentials(url=NOWHERE, api_key=SecretStr("none"))
    with closing(Healthie(known, read_only=True)) as healthie:
        return dict(healthie.writes()), dict(healthie.lookups())


def _unconnected(
    connector: Connectors, options: Mapping[str, JsonValue]
) -> Callable[[list[Table]], Connector]:
    if connector == "sql":
        from connectors.sql import Sql, SqlCredentials

        return lambda tables: Sql(SqlCredentials(url=SecretStr("sqlite:////nowhere")), tables)
    if connector == "csv":
        from pathlib import Path

        from connectors.csv import Csv, CsvCredentials

        return lambda tables: Csv(CsvCredentials(folder=Path()), tables)
    if connector == "mongodb":
        from connectors.mongodb import Mongo, MongoCredentials, MongoOptions

        nowhere = MongoCredentials(url=SecretStr("mongodb://127.0.0.1:9/none"))
        return lambda tables: Mongo(nowhere, tables, MongoOptions.model_validate(dict(options)))
    if connector == "probe":
        from connectors.sandbox.probe import Probe, ProbeCredentials

        return lambda _tables: Probe(ProbeCredentials(url=NOWHERE))
    raise ValueError(f"{connector} cannot be a target")


@cache
def fields() -> Mapping[str, EntryField]:
    """The fields that an entry of the source may have."""
    from connectors.healthie.fields import catalogue

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
