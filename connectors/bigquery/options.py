"""What an integration says of its tables beyond their columns: partitions, clusters, lists of records."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field, create_model

from connectors.base import Settings
from connectors.operation import ArgumentModel
from connectors.tabular import Table, sound_name
from connectors.values import ColumnType, kind_of

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
Scalar = Literal["str", "int", "decimal", "bool", "date", "datetime"]
CLUSTERED = 4  # columns at most: https://cloud.google.com/bigquery/docs/clustered-tables, 2026-11
LISTED = 1_000_000  # characters of one text within a record


class Layout(Settings):
    """How one table is made. It is not changed afterwards: BigQuery cannot partition a table anew.

    partition_by: a date or datetime column. cluster_by: the key without it. records: json columns that are
    lists of records, with each record's fields; they become REPEATED RECORD columns.
    """

    partition_by: Name | None = None
    partition_unit: Literal["hour", "day", "month", "year"] = "day"
    cluster_by: Annotated[tuple[Name, ...], Field(max_length=CLUSTERED)] = ()
    records: dict[Name, Annotated[dict[Name, Scalar], Field(min_length=1, max_length=100)]] = Field(
        default_factory=dict[str, dict[str, Scalar]]
    )


class BigQueryOptions(Settings):
    """The layouts, by table."""

    tables: dict[Name, Layout] = Field(default_factory=dict[str, Layout])


def check(options: BigQueryOptions, tables: Mapping[str, Table]) -> None:
    """Raises ValueError if a layout speaks of what is not declared."""
    for name, layout in options.tables.items():
        if name not in tables:
            raise ValueError(f"options speak of {name}, which is no declared table")
        for trouble in _troubles(layout, tables[name]):
            raise ValueError(f"options of {name}: {trouble}")


def _troubles(layout: Layout, table: Table) -> list[str]:
    kinds: dict[str, ColumnType] = {name: column.type for name, column in table.columns.items()}
    found: list[str] = []
    moment = kinds.get(layout.partition_by or "")
    if layout.partition_by is not None and moment not in ("date", "datetime"):
        found.append("partition_by must name a date or datetime column")
    if layout.partition_unit == "hour" and moment == "date":
        found.append("a date has no hours to partition by")
    if any(kinds.get(name, "json") == "json" for name in layout.cluster_by):
        found.append("cluster_by must name declared columns that are not json")
    if any(kinds.get(name) != "json" for name in layout.records):
        found.append("records must name json columns")
    for fields in layout.records.values():
        if not all(sound_name(field) for field in fields) or len({f.lower() for f in fields}) < len(fields):
            found.append("a record's fields must be letters, digits and _, each once, and no reserved word")
    return found


def element_model(column: str, fields: Mapping[str, Scalar]) -> type[ArgumentModel]:
    """One record of a list: every field is named, and may be null."""
    made: dict[str, object] = {name: (kind_of(kind, LISTED) | None, ...) for name, kind in fields.items()}
    title = "".join(part.capitalize() for part in column.split("_"))
    return _model(title, ArgumentModel, made)


def typed(arguments: type[ArgumentModel], layout: Layout) -> type[ArgumentModel]:
    """The same arguments, with lists of records in the place of free JSON."""
    if not layout.records:
        return arguments
    lists: dict[str, object] = {}
    for name, fields in layout.records.items():
        shown = Field(description=arguments.model_fields[name].description)
        lists[name] = (Annotated[list_of(element_model(name, fields)) | None, shown], None)
    return _model(arguments.__name__, arguments, lists)


def list_of(element: type[ArgumentModel]) -> Any:  # a type that is made at run time
    return cast(Any, list)[element]


def _model(title: str, base: type[ArgumentModel], fields: Mapping[str, object]) -> type[ArgumentModel]:
    return cast(type[ArgumentModel], cast(Any, create_model)(title, __base__=base, **fields))
