"""What a collection is at the server, and how it differs from what was declared.

A collection needs no preparation: the first write makes it, and a document has the fields that it is given.
But it may be a view, compare keys without regard to case, or have a validator that refuses what is declared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.mongodb.client import Client, Document
from connectors.tabular import Drift, Table

BSON: Mapping[str, frozenset[str]] = {  # what a validator must admit for a declared type
    "str": frozenset({"string"}),
    "int": frozenset({"long", "number"}),
    "decimal": frozenset({"decimal", "number"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"string"}),
    "datetime": frozenset({"date"}),
}
EXACT = 3  # the strength from which a collation tells case and accents apart


@dataclass(frozen=True, slots=True)
class Shape:
    """A collection as it was found."""

    drift: tuple[Drift, ...] = ()
    validator: Document = field(default_factory=dict[str, Any])  # that refuses what does not fit it
    moderate: bool = False  # and lets alone a document that never did

    @property
    def objection(self) -> str | None:
        """Why nothing may be written to it, as a code, or None."""
        codes = {each.code for each in self.drift}
        if "missing_key" in codes:
            return "schema_drift"
        return "inexact_key" if "inexact_key" in codes else None


def look(client: Client, table: Table) -> Shape:
    """The collection as it is now. One that is not there does not differ. Raises as `Client.read` does."""
    answer = client.read({"listCollections": 1, "filter": {"name": table.name}})
    found = next(iter(answer["cursor"]["firstBatch"]), None)
    if found is None:
        return Shape()
    drift = list(_drift(table, found))
    if not drift or all(each.code != "missing_key" for each in drift):
        drift += _others(client, table)
    options: Document = found.get("options", {})
    level = options.get("validationLevel", "strict")
    holds = options.get("validationAction", "error") == "error" and level != "off"
    return Shape(tuple(drift), options.get("validator", {}) if holds else {}, level == "moderate")


def _drift(table: Table, found: Document) -> Iterator[Drift]:
    options: Document = found.get("options", {})
    if found.get("type", "collection") != "collection":
        yield Drift(table.name, "", "missing_key")
    if options.get("collation", {}).get("strength", EXACT) < EXACT:
        yield from (Drift(table.name, name, "inexact_key") for name in table.key)
    if options.get("validationAction", "error") == "error":
        yield from _refused(table, options.get("validator", {}).get("$jsonSchema", {}))


def _refused(table: Table, schema: Document) -> Iterator[Drift]:
    """What a validator refuses of the declaration."""
    properties: Document = schema.get("properties", {})
    for name, column in table.columns.items():
        rule: Document = properties.get(name, {})
        if name not in properties and schema.get("additionalProperties") is False:
            yield Drift(table.name, name, "missing_column")
        if column.type in BSON and (kinds := _kinds(rule)) and not kinds & BSON[column.type]:
            yield Drift(table.name, name, "wrong_type")
        if column.type == "str" and rule.get("maxLength", table.length(name)) < table.length(name):
            yield Drift(table.name, name, "narrower")
    for name in schema.get("required", ()):
        if name != "_id" and name not in table.columns:
            yield Drift(table.name, name, "required_column")


def _kinds(rule: Document) -> frozenset[str]:
    kinds: Any = rule.get("bsonType", ())
    return frozenset({kinds} if isinstance(kinds, str) else kinds)


def _others(client: Client, table: Table) -> list[Drift]:
    """A patient's document under an `_id` that was made up: an upsert would make a second one."""
    wanted = {"_id": {"$type": ["objectId", "binData"]}, table.patient: {"$exists": True}}
    return [Drift(table.name, "", "missing_key")] if client.find(table.name, wanted, (), most=1) else []
