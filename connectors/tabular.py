"""What all row targets share: tables as they were declared, and the rows that items make of them.

A table's columns become the arguments of its write. Nothing that is not declared here ever reaches a
target, neither as a name nor as a value.
"""

import json
import keyword
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self, cast

from pydantic import Field, TypeAdapter, ValidationError, create_model, model_validator

from connectors.base import Settings
from connectors.operation import ArgumentModel, Arguments, Item, Outcome
from connectors.values import KEY_LENGTH, TEXT_LENGTH, ColumnType, Value, code_of, key_kind_of, kind_of

Key = tuple[str | int, ...]
"""The values of a table's key columns, in the key's order."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)


class Column(Settings):
    """One column. `summary` is read by the model; `free_text` allows a model's own words."""

    type: ColumnType
    max_length: Annotated[int, Field(ge=1, le=TEXT_LENGTH)] | None = None  # characters, str only
    summary: str = ""
    free_text: bool = False

    @model_validator(mode="after")
    def _only_text_is_long(self) -> Self:
        if self.type != "str" and (self.max_length is not None or self.free_text):
            raise ValueError(f"max_length and free_text are for str columns, not for {self.type}")
        return self


class Table(Settings):
    """One table. `key` is its unique key; the engine binds `patient`, a column of it, to the patient's id."""

    name: str
    key: Annotated[tuple[str, ...], Field(min_length=1, max_length=4)]
    patient: str
    columns: Annotated[dict[str, Column], Field(min_length=1, max_length=400)]
    summary: str = ""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        for trouble in _troubles(self):
            raise ValueError(trouble)
        return self

    @property
    def plain(self) -> tuple[str, ...]:
        """The columns that are no key, in their declared order."""
        return tuple(name for name in self.columns if name not in self.key)

    @property
    def write(self) -> str:
        """The name of its write."""
        return f"upsert_{self.name}"

    @property
    def free_text(self) -> frozenset[str]:
        """The columns in which a model may use words of its own."""
        return frozenset(name for name, column in self.columns.items() if column.free_text)

    def length(self, column: str) -> int:
        """How many characters a value of the column may have."""
        return self.columns[column].max_length or (KEY_LENGTH if column in self.key else TEXT_LENGTH)

    def kind(self, column: str) -> type[Value]:
        """The type of the column's values, as an annotation."""
        make = key_kind_of if column in self.key else kind_of
        return make(self.columns[column].type, self.length(column))


def sound_name(name: str) -> bool:
    """Is this a name that may appear in SQL, as an argument and as a file's name?"""
    return (
        _NAME.fullmatch(name) is not None
        and not keyword.iskeyword(name)
        and not hasattr(ArgumentModel, name)  # pydantic's own: copy, json, model_dump, …
    )


def _troubles(table: Table) -> Iterator[str]:
    if not all(sound_name(name) for name in (table.name, *table.columns)):
        yield "a table's or column's name must be letters, digits and _, and no reserved word"
    if len({name.lower() for name in table.columns}) < len(table.columns):
        yield "two columns differ only in upper and lower case"
    if len(set(table.key)) < len(table.key) or not set(table.key) <= set(table.columns):
        yield "key must name declared columns, each once"
    elif any(table.columns[name].type not in ("str", "int") for name in table.key):
        yield "a key column must be a str or an int"
    elif any(table.length(name) > KEY_LENGTH for name in table.key):
        yield f"a key column may have at most {KEY_LENGTH} characters"
    if table.patient not in table.key:
        yield "patient must name one of the key columns"


def arguments_model(table: Table) -> type[ArgumentModel]:
    """The arguments of a table's write: all columns but the patient's, optional unless part of the key."""
    fields: dict[str, object] = {}
    for name, column in table.columns.items():
        described = Field(description=column.summary or None)
        if name in table.key and name != table.patient:
            fields[name] = (Annotated[table.kind(name), described], ...)
        elif name != table.patient:
            fields[name] = (Annotated[table.kind(name) | None, described], None)
    title = "".join(part.capitalize() for part in table.name.split("_"))
    made = create_model(f"Upsert{title}", __base__=ArgumentModel, **fields)  # type: ignore[call-overload]  # likewise
    return cast(type[ArgumentModel], made)


@dataclass(frozen=True, slots=True)
class Drift:
    """How a table differs from what was declared.

    missing_key: no unique key over exactly the key columns. wrong_type: the column cannot hold the
    declared type. missing_column: it is not there and was not added. narrower: it holds less than
    declared. extra_column: it was not declared. required_column: the same, and rows need a value in it.
    inexact_key: keys are compared without regard to case.
    """

    table: str
    column: str  # "" for the table as a whole
    code: Literal[
        "missing_key",
        "wrong_type",
        "missing_column",
        "narrower",
        "extra_column",
        "required_column",
        "inexact_key",
    ]


@dataclass(frozen=True, slots=True)
class Version:
    """What one item sets. A column that is absent stays as it is."""

    item: str
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Record:
    """One row to be written: all items of a batch that touch it, oldest first."""

    key: Key
    versions: tuple[Version, ...]

    @property
    def values(self) -> dict[str, Value]:
        """What is set in the end, without the key."""
        if len(self.versions) == 1:
            return self.versions[0].values
        return {name: value for version in self.versions for name, value in version.values.items()}

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(version.item for version in self.versions)


class Rows:
    """Reads items as rows of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.arguments = arguments_model(table)
        self._patient = TypeAdapter(table.kind(table.patient))

    def keys(self, items: Sequence[Item]) -> dict[str, Key | None]:
        """The key of each item's row; None where no row can be meant."""
        keys: dict[str, Key | None] = {}
        for item in items:
            try:
                keys[item.key] = self._read(item.patient, item.arguments)[0]
            except ValidationError:
                keys[item.key] = None
        return keys

    def record(self, patient: str, arguments: Arguments) -> str:
        """Names that row, for the ledger: a newer version supersedes an older one."""
        parts: list[object] = [
            patient if name == self.table.patient else arguments.get(name) for name in self.table.key
        ]
        return json.dumps([self.table.name, *parts], ensure_ascii=True)

    def records(
        self, items: Sequence[Item], refused: Callable[[Key, dict[str, Value]], str | None]
    ) -> tuple[list[Record], list[Outcome]]:
        """The rows to be written, each key once, and the items that cannot be stored.

        Args:
            refused: the target's own objection to a row, a code or None.
        """
        rows: dict[Key, list[Version]] = {}
        outcomes: list[Outcome] = []
        for item in items:
            try:
                key, values = self._read(item.patient, item.arguments)
            except ValidationError as error:
                outcomes.append(Outcome(item.key, "rejected", code_of(error)))
                continue
            code = refused(key, values)
            if code is None:
                rows.setdefault(key, []).append(Version(item.key, values))
            else:
                outcomes.append(Outcome(item.key, "rejected", code))
        return [Record(key, tuple(versions)) for key, versions in rows.items()], outcomes

    def _read(self, patient: str, arguments: Arguments) -> tuple[Key, dict[str, Value]]:
        model = self.arguments.model_validate(arguments)
        given: dict[str, Value] = {name: getattr(model, name) for name in model.model_fields_set}
        bound: str | int = patient
        if self.table.columns[self.table.patient].type == "int":
            bound = int(patient) if patient.isdecimal() and str(int(patient)) == patient else patient
        given[self.table.patient] = self._patient.validate_python(bound)
        key = tuple(cast(str | int, given.pop(name)) for name in self.table.key)
        return key, given
