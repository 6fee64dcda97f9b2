"""The portal's live properties: read once, compared with the declaration, and what is missing made."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.hubspot.cells import MADE_AS, fits, objection
from connectors.hubspot.client import Client
from connectors.hubspot.failures import MissingScopes, code_of
from connectors.hubspot.options import HubSpotOptions
from connectors.hubspot.wire import Defined, Group, Groups, Properties, Property
from connectors.tabular import Drift, Key, Table
from connectors.values import Value

HIDDEN: Final = (
    "sensitive",
    "highly_sensitive",
)  # listed only if asked for by name, with a scope of their own
AT_ONCE: Final = 100


def live(client: Client, kind: str, names: Collection[str]) -> dict[str, Property]:
    """The properties of an object type. The sensitive ones are asked for only if some of these lack."""
    found = {one.name: one for one in client.read(client.sdk.properties.get_all, Properties, kind).results}
    for sensitivity in HIDDEN:
        if found.keys() >= set(names):
            break
        try:
            found |= {one.name: one for one in client.listed(kind, sensitivity).results}
        except MissingScopes:
            break
    return found


@dataclass(frozen=True, slots=True)
class Schema:
    """A table as the portal has it. `key`: the unique property that names a record."""

    table: Table
    key: str
    properties: Mapping[str, Property]  # of the table's columns, those that are there
    drift: tuple[Drift, ...]

    @property
    def is_keyed(self) -> bool:
        """Can a record be found by its key?"""
        return self.key in self.properties and self.properties[self.key].has_unique_value

    def as_made(self) -> "Schema":
        """As it will be once what is missing was made: nothing is refused for that."""
        there = {
            name: self.properties.get(name) or _new(self.table, name)
            for name in columns(self.table, self.key)
        }
        left = (one for one in self.drift if one.column in self.properties)
        return replace(self, properties=there, drift=tuple(left))

    def objection(self, key: Key, values: Mapping[str, Value]) -> str | None:
        """Why this row cannot be kept exactly as it is, as a code, or None."""
        for drift in self.drift:
            if drift.code == "missing_key" or (drift.code in _HARD and drift.column in values):
                return "schema_drift"
        if not all(_EXACT.fullmatch(str(part)) for part in key):
            return "inexact_key"
        for name, value in values.items():
            code = objection(name, value, self.table.columns[name].type, self.properties[name])
            if code is not None:
                return code
        return None


# UNVERIFIED: is HubSpot's uniqueness blind to upper and lower case? Two patients are never to be one contact
_EXACT: Final = re.compile(r"[0-9a-z._:@-]+", re.ASCII)
_HARD: Final = ("wrong_type", "missing_column")


def look(client: Client, kind: str, table: Table, key: str, options: HubSpotOptions) -> Schema:
    """The table's properties as they are now. Changes nothing."""
    wanted = columns(table, key)
    there = live(client, kind, wanted)
    ours = {name: there[name] for name in wanted if name in there}
    return Schema(table, key, ours, tuple(_drift(table, key, ours, options)))


def columns(table: Table, key: str) -> tuple[str, ...]:
    """The table's columns that are properties of its records."""
    return (key, *table.plain)


def make(client: Client, kind: str, schema: Schema, options: HubSpotOptions) -> None:
    """Make the properties that are not there. Raises Rejected if HubSpot refuses one."""
    missing = [name for name in columns(schema.table, schema.key) if name not in schema.properties]
    if not missing:
        return
    groups = client.read(client.sdk.groups.get_all, Groups, kind).results
    if options.group not in {group.name for group in groups}:
        _make_group(client, kind, options.group)
    for at in range(0, len(missing), AT_ONCE):
        inputs = [_definition(schema, name, options) for name in missing[at : at + AT_ONCE]]
        made = client.write(client.sdk.defining.create, Defined, kind, {"inputs": inputs})
        if any(code_of(trouble) != "conflict" for trouble in made.errors):  # made meanwhile is made
            raise Rejected(
                "schema_drift", f"hubspot: a property of {kind} could not be made; make it by hand"
            )


def _make_group(client: Client, kind: str, name: str) -> None:
    try:
        client.write(client.sdk.groups.create, Group, kind, {"name": name, "label": "Ferry"})
    except Rejected as refused:
        if refused.code != "conflict":  # made meanwhile is made
            raise


def _new(table: Table, name: str) -> Property:
    kind, field = MADE_AS[table.columns[name].type]
    return Property(name=name, type=kind, field_type=field)


def _definition(schema: Schema, name: str, options: HubSpotOptions) -> dict[str, JsonValue]:
    column = schema.table.columns[name]
    kind, field = MADE_AS[column.type]
    new: dict[str, JsonValue] = {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": field,
        "groupName": options.group,
        "hasUniqueValue": name == schema.key,
    }
    if kind == "bool":
        new["options"] = [
            {"label": label, "value": value, "displayOrder": at, "hidden": False}
            for at, (label, value) in enumerate((("Yes", "true"), ("No", "false")))
        ]
    if name in options.sensitivity:
        new |= {"dataSensitivity": options.sensitivity[name], "sensitiveDataCategories": ["HIPAA"]}
    return new


def _drift(table: Table, key: str, there: Mapping[str, Property], options: HubSpotOptions) -> Iterator[Drift]:
    for name in columns(table, key):
        if name not in there:
            yield Drift(table.name, name, "missing_key" if name == key else "missing_column")
        elif name == key and not (there[name].has_unique_value and there[name].type == "string"):
            yield Drift(table.name, name, "missing_key")
        elif not fits(table.columns[name].type, there[name]):
            yield Drift(table.name, name, "wrong_type")
        elif name in options.sensitivity and there[name].data_sensitivity != options.sensitivity[name]:
            yield Drift(table.name, name, "wrong_type")  # what is sensitive goes into no plain property
