"""What is written into a base, what is refused, and what is not called done."""

from contextlib import closing

import pytest
from pydantic import JsonValue, SecretStr, ValidationError

from connectors.airtable import Airtable, AirtableCredentials, AirtableOptions, TableOptions
from connectors.operation import Item
from connectors.sandbox.airtable import AirtableStandIn, Rules
from connectors.tabular import Column, Drift
from tests.connectors.airtable.rows import KEY, PATIENTS, airtable, codes, upsert


def test_a_thousand_rows_take_a_hundred_writes_and_ten_reads(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        connector.prepare()
        write = connector.writes()["upsert_patients"]
        items = [Item(f"k{at}", f"p{at}", {"name": f"Ana {at}", "balance": "1.5"}) for at in range(1000)]
        before = stand_in.gauge.requests
        for at in range(0, len(items), write.batch):
            assert write.present is not None
            held = write.present(items[at : at + write.batch])
            assert set(held.values()) == {None}
            assert {one.state for one in write.send(items[at : at + write.batch])} == {"done"}

        assert stand_in.writes() == 100
        assert stand_in.gauge.requests - before == 110
        assert len(stand_in.base.rows("patients")) == 1000


def test_no_address_and_no_error_names_a_patient(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("Zephyrine", {"name": "Zephyrine"}))
        write = connector.writes()["upsert_patients"]
        assert write.present is not None
        write.present([Item("k", "Zephyrine", {"name": ""})])

    assert "listRecords" in " ".join(path for _, path, _ in stand_in.journal)
    assert not any("Zephyrine" in path for _, path, _ in stand_in.journal)
    assert "filterByFormula" not in {
        name for method, _, body in stand_in.journal if method == "GET" for name in body
    }


def test_what_airtable_stores_differently_is_not_called_done() -> None:
    with AirtableStandIn(Rules(mangled=("\x01", ""))) as stand_in, closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, ("1", {"name": "a\x01b"}), ("2", {"name": "ab", "balance": "0.50"}))

    assert codes(outcomes) == ["stored_differently", "done"]
    assert outcomes[0].state == "rejected"


def test_numbers_are_exact_or_refused(stand_in: AirtableStandIn) -> None:
    columns = {
        "patient_id": Column(type="str"),
        "count": Column(type="int"),
        "balance": Column(type="decimal"),
    }
    table = PATIENTS.model_copy(update={"columns": columns})
    given: list[dict[str, JsonValue]] = [
        {"count": 2**53 - 1}, {"count": 2**53}, {"count": -(2**53) + 1}, {"count": -(2**63)},
        {"balance": "0.10"}, {"balance": "0.000000001"}, {"balance": "1234567.89012345"}, {"balance": "1e3"},
        {"balance": "12345678901234567"},
    ]  # fmt: skip
    with closing(airtable(stand_in, table=table)) as connector:
        outcomes = upsert(connector, *((str(at), values) for at, values in enumerate(given)))

    assert codes(outcomes) == [
        "done", "out_of_range", "done", "out_of_range",
        "done", "too_precise", "done", "invalid_value", "too_precise",
    ]  # fmt: skip
    assert [list(row.values())[1:] for row in stand_in.base.rows("patients")] == [
        [2**53 - 1], [-(2**53) + 1], [0.1], [1234567.89012345],
    ]  # fmt: skip


def test_a_field_with_fewer_places_takes_what_fits(stand_in: AirtableStandIn) -> None:
    places: JsonValue = {"precision": 2, "symbol": "$"}
    stand_in.base.add_table("patients", [KEY, {"name": "balance", "type": "currency", "options": places}])
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, ("1", {"balance": "12.50"}), ("2", {"balance": "0.125"}))

        assert codes(outcomes) == ["done", "too_precise"]
        assert Drift("patients", "balance", "narrower") in connector.drift()


def test_choices_are_added_only_if_they_are_declared(stand_in: AirtableStandIn) -> None:
    choices: list[JsonValue] = [{"name": "new"}]
    stand_in.base.add_table(
        "patients", [KEY, {"name": "status", "type": "singleSelect", "options": {"choices": choices}}]
    )
    with closing(airtable(stand_in, TableOptions(choices={"status": ("active",)}))) as connector:
        outcomes = upsert(
            connector,
            ("1", {"status": "new"}),
            ("2", {"status": "active"}),
            ("3", {"status": "vip"}),
            ("4", {"status": ""}),
        )
        again = upsert(connector, ("5", {"status": "active"}))

    assert codes(outcomes) == ["done", "done", "unknown_choice", "done"]
    assert codes(again) == ["done"]
    field = stand_in.base.table("patients").field_of("status")
    assert [choice["name"] for choice in field["options"]["choices"]] == ["new", "active"]
    assert [body["typecast"] for method, _, body in stand_in.journal if method == "PATCH"] == [True, False]


def test_a_select_is_made_with_its_choices(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in, TableOptions(choices={"status": ("new", "active")}))) as connector:
        assert codes(upsert(connector, ("1", {"status": "new"}), ("2", {"status": "x"}))) == [
            "done",
            "unknown_choice",
        ]

    assert stand_in.base.table("patients").field_of("status")["type"] == "singleSelect"


def test_one_key_twice_in_a_batch_is_one_record(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, ("1", {"name": "Ana"}), ("1", {"name": "Ann", "balance": "2"}))

    assert codes(outcomes) == ["done", "done"]
    assert stand_in.base.rows("patients") == [{"patient_id": "1", "name": "Ann", "balance": 2.0}]


def test_what_an_answer_leaves_out_is_unknown() -> None:
    with AirtableStandIn(Rules(reordered=True, forgetful=True)) as stand_in:
        with closing(airtable(stand_in)) as connector:
            outcomes = upsert(connector, ("1", {"name": "Ana"}), ("2", {"name": "Bo"}), ("3", {}))

        assert codes(outcomes) == ["no_answer_for_item", "done", "done"]
        assert outcomes[0].state == "unknown"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"other": TableOptions()}, "not declared: other"),
        ({"patients": TableOptions(fields={"x": "fld"})}, "a column that is not declared"),
        ({"patients": TableOptions(choices={"active": ("a",)})}, "choices are for str columns"),
        ({"patients": TableOptions(fields={"name": "a", "status": "a"})}, "name one field twice"),
    ],
)
def test_options_that_do_not_fit_are_refused(given: dict[str, TableOptions], problem: str) -> None:
    credentials = AirtableCredentials(token=SecretStr("x"), base="app00000000000000")

    with pytest.raises(ValidationError, match=problem):
        Airtable(credentials, [PATIENTS], AirtableOptions(tables=given))
