"""What a table would be once it is made is told as it comes to be."""

from collections.abc import Callable, Mapping
from contextlib import closing

import pytest
from pydantic import JsonValue, SecretStr

from connectors.airtable import Airtable, AirtableCredentials, AirtableOptions, TableOptions
from connectors.operation import Item
from connectors.sandbox.airtable import TOKEN, AirtableStandIn, Base
from tests.connectors.airtable.rows import KEY, PATIENTS, airtable

ROWS: Mapping[str, Mapping[str, JsonValue]] = {
    "1": {"name": "Ana", "status": "new", "active": True, "balance": "1.25"},
    "2": {"status": "old"},
    "3": {"status": "gone", "active": None},
    "4": {"name": "a\nb"},
    "5": {"balance": "0.123456789"},
    "6": {"name": " x"},
    "7\\": {"name": "x"},
}
CHOICES = TableOptions(choices={"status": ("new", "old")})
THERE: Mapping[str, Callable[[Base], object]] = {
    "nothing": lambda base: None,
    "another table": lambda base: base.add_table("visits", [KEY]),
    "in other letters": lambda base: base.add_table("Patients", [KEY]),
    "the key alone": lambda base: base.add_table("patients", [KEY]),
    "a field in other letters": lambda base: base.add_table("patients", [KEY, {"name": "Status"}]),
    "no key": lambda base: base.add_table("patients", [{"name": "status"}]),
    "a number": lambda base: base.add_table("patients", [KEY, {"name": "status", "type": "number"}]),
}
PLACES: Mapping[str, TableOptions | None] = {
    "as it is": None,
    "choices": CHOICES,
    "other names": TableOptions(table="People", fields={"name": "Full name", "status": "State"}),
    "a table by its id": TableOptions(table="tbl00000000000009"),
    "a field by its id": TableOptions(fields={"status": "fld00000000000099"}),
    "a key by its id": TableOptions(fields={"patient_id": "fld00000000000099"}),
}


@pytest.mark.parametrize("there", THERE)
@pytest.mark.parametrize("place", PLACES)
def test_it_refuses_what_the_made_table_refuses(stand_in: AirtableStandIn, there: str, place: str) -> None:
    THERE[there](stand_in.base)
    items = [Item(patient, patient, values) for patient, values in ROWS.items()]
    options = AirtableOptions(tables={"patients": PLACES[place] or TableOptions()})
    credentials = AirtableCredentials(url=stand_in.url, token=SecretStr(TOKEN), base=stand_in.base.id)
    with closing(Airtable(credentials, [PATIENTS], options, read_only=True)) as reading:
        refuses = reading.writes()["upsert_patients"].refuses
        assert refuses is not None
        told = {one.key: one.code for one in refuses(items)}
    with closing(airtable(stand_in, PLACES[place])) as connector:
        outcomes = connector.writes()["upsert_patients"].send(items)

    assert told == {one.key: one.code for one in outcomes if one.state == "rejected"}
    assert {one.state for one in outcomes} <= {"done", "rejected"}
