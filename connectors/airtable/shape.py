"""What a table is at Airtable, and how it differs from what was declared.

Tables and fields are found by id, by what Ferry noted in their description, or by name. None is ever dropped
or changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from pydantic import Field as Limited
from pydantic import JsonValue, model_validator

from connectors.airtable import fields
from connectors.airtable.fields import Field
from connectors.base import Settings
from connectors.tabular import Drift, Key, Table
from connectors.values import Value, as_json

MERGED = 3  # fields that an upsert may match on, at most
BROKEN = ("missing_key", "missing_column", "wrong_type")


class TableOptions(Settings):
    """Where a table is, if not under its own name.

    table: its id (tbl…) or name. fields: columns' fields by id (fld…), then people may rename them, or name.
    choices: what a single select may be given besides what it offers: these are added when first used.
    """

    table: str = ""
    fields: dict[str, str] = Limited(default_factory=dict[str, str])
    choices: dict[str, tuple[str, ...]] = Limited(default_factory=dict[str, tuple[str, ...]])


class AirtableOptions(Settings):
    tables: dict[str, TableOptions] = Limited(default_factory=dict[str, TableOptions])


class Arranged(Settings):
    """The tables and where they are: refused if they do not go together."""

    tables: tuple[Table, ...]
    options: AirtableOptions = Limited(default_factory=AirtableOptions)

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        for trouble in _troubles(self.tables, self.options):
            raise ValueError(trouble)
        return self

    def place(self, table: Table) -> TableOptions:
        return self.options.tables.get(table.name, TableOptions())


def _troubles(tables: Sequence[Table], options: AirtableOptions) -> Iterator[str]:
    if len({table.name.lower() for table in tables}) < len(tables):
        yield "two tables have the same name"
    if any(len(table.key) > MERGED for table in tables):
        yield f"Airtable matches on at most {MERGED} key columns"
    named = {table.name: table for table in tables}
    for name, place in options.tables.items() if tables else ():
        if name not in named:
            yield f"options name a table that is not declared: {name}"
            continue
        columns = named[name].columns
        if not {*place.fields, *place.choices} <= columns.keys():
            yield f"options of {name} name a column that is not declared"
        elif any(columns[each].type != "str" or each in named[name].key for each in place.choices):
            yield f"options of {name}: choices are for str columns that are no key"
        elif len(set(place.fields.values())) < len(place.fields):
            yield f"options of {name} name one field twice"


@dataclass(frozen=True, slots=True)
class Found:
    """A table of the base as its schema shows it."""

    id: str
    name: str
    fields: tuple[Field, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A declared table as it was found. `id` is "" while there is none."""

    table: Table
    place: TableOptions
    id: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict[str, Field])  # by column
    drift: tuple[Drift, ...] = ()

    @property
    def key(self) -> list[str]:
        """The key's fields."""
        return [self.fields[name].id for name in self.table.key]

    @property
    def missing(self) -> tuple[str, ...]:
        """The columns for which a field may be made."""
        return tuple(each.column for each in self.drift if each.code == "missing_column")

    @property
    def readable(self) -> frozenset[str]:
        """The columns whose fields are there and hold their values; none without the key."""
        broken = {each.column: each.code for each in self.drift if each.code in BROKEN}
        return frozenset() if "missing_key" in broken.values() else frozenset(self.fields) - broken.keys()

    def objection(self, key: Key, values: Mapping[str, Value]) -> str | None:
        """Why this row cannot be stored exactly as it is, as a code, or None."""
        named = {*self.table.key, *values}
        if any(each.code in BROKEN and each.column in named for each in self.drift):
            return "schema_drift"
        for part in key:
            if code := fields.of_key(part):
                return code
        for name, value in values.items():
            kind, choices = self.table.columns[name].type, self.place.choices.get(name, ())
            if code := fields.objection(value, kind, self.fields[name], choices):
                return code
        return None

    def sent(self, key: Key, values: Mapping[str, Value]) -> dict[str, JsonValue]:
        """A row as the API takes it, by field id."""
        named = {**dict(zip(self.table.key, key, strict=True)), **values}
        return {
            self.fields[name].id: fields.sent(value, self.table.columns[name].type, self.fields[name])
            for name, value in named.items()
        }

    def adds_choice(self, values: Mapping[str, Value]) -> bool:
        """Is one of these a declared choice that the field does not offer yet?"""
        return any(
            values.get(name) and values[name] not in self.fields[name].choices for name in self.selects
        )

    @property
    def selects(self) -> tuple[str, ...]:
        """The str columns that are single selects."""
        columns = self.table.columns
        return tuple(
            name
            for name, found in self.fields.items()
            if found.type == "singleSelect" and columns[name].type == "str"
        )

    def read(self, column: str, cells: Mapping[str, JsonValue]) -> JsonValue:
        """What a record's cells, by field id, hold for a column. A cell that is empty is not among them."""
        found = self.fields[column]
        return fields.read(cells.get(found.id), self.table.columns[column].type, found)

    def keeps(self, values: Mapping[str, Value], cells: Mapping[str, JsonValue]) -> bool:
        """Is that what the record's cells hold?"""
        kinds = {name: column.type for name, column in self.table.columns.items()}
        return all(
            self.read(name, cells) == (None if value == "" and kinds[name] == "str" else as_json(value))
            for name, value in values.items()
        )

    def key_of(self, cells: Mapping[str, JsonValue]) -> tuple[JsonValue, ...]:
        return tuple(self.read(name, cells) for name in self.table.key)


def look(table: Table, place: TableOptions, tables: Sequence[Found]) -> Shape:
    """The declared table among those of the base."""
    there = _find(table, place, tables)
    if there is None:
        return Shape(table, place)
    found = {name: match for name in table.columns if (match := _match(name, place, there.fields))}
    return Shape(table, place, there.id, found, tuple(_drift(table, found, there.fields)))


def _find(table: Table, place: TableOptions, tables: Sequence[Found]) -> Found | None:
    marked = [each for each in tables if each.description == fields.mark(table.name)]
    if not place.table and len(marked) == 1:
        return marked[0]
    wanted = place.table or table.name
    return next((each for each in tables if wanted in (each.id, each.name)), None)


def _match(column: str, place: TableOptions, there: Sequence[Field]) -> Field | None:
    """A field with Ferry's mark comes first: people may rename it, and make their own under its name."""
    marked = [each for each in there if each.description == fields.mark(column)]
    if column not in place.fields and len(marked) == 1:
        return marked[0]
    wanted = place.fields.get(column, column)
    return next((each for each in there if wanted in (each.id, each.name)), None)


def _drift(table: Table, found: Mapping[str, Field], there: Sequence[Field]) -> Iterator[Drift]:
    used = [each.id for each in found.values()]
    for name, column in table.columns.items():
        key = name in table.key
        if name not in found:
            yield Drift(table.name, name, "missing_key" if key else "missing_column")
        elif not fields.holds(found[name], column.type, key=key) or used.count(found[name].id) > 1:
            yield Drift(table.name, name, "missing_key" if key else "wrong_type")
        elif column.type == "decimal" and found[name].precision < fields.PLACES:
            yield Drift(table.name, name, "narrower")
    for field_ in there:
        if field_.id not in used:
            yield Drift(table.name, field_.name, "extra_column")


def fields_to_make(shape: Shape) -> list[dict[str, JsonValue]]:
    """The fields of a table that is not there yet, the key's first; or those that it lacks."""
    table = shape.table
    return [
        {
            **fields.made(
                name, table.columns[name], key=name in table.key, choices=shape.place.choices.get(name, ())
            ),
            "name": named,
        }
        for name, named in _to_make(shape)
    ]


def _to_make(shape: Shape) -> list[tuple[str, str]]:
    """The columns of these, each with its field's name. A field that was named by its id is not made."""
    names = shape.missing if shape.id else (*shape.table.key, *shape.table.plain)
    named = [(name, shape.place.fields.get(name, name)) for name in names]
    return [(name, field_) for name, field_ in named if not _is_field_id(field_)]


def once_made(table: Table, place: TableOptions, tables: Sequence[Found]) -> Shape:
    """The declared table as it is once what it lacks is made, as far as Airtable lets it be made."""
    shape, name = look(table, place, tables), place.table or table.name
    there = next((each for each in tables if each.id == shape.id), Found(name, name, ()))
    if not shape.id and (is_table_id(name) or _taken(name, tables)):
        return shape
    new = [
        fields.to_be(
            named,
            column,
            table.columns[column],
            key=column in table.key,
            choices=place.choices.get(column, ()),
        )
        for column, named in _to_make(shape)
        if not _taken(named, there.fields)
    ]
    return look(table, place, [replace(there, fields=(*there.fields, *new))])


def _taken(name: str, there: Sequence[Found | Field]) -> bool:
    """Airtable has no two names that differ in case alone."""
    return name.lower() in {each.name.lower() for each in there}


def is_table_id(name: str) -> bool:
    return name.startswith("tbl") and len(name) == 17


def _is_field_id(name: str) -> bool:
    return name.startswith("fld") and len(name) == 17
