"""What is sent, in how many jobs, and what it leaves behind."""

from pydantic import JsonValue

from connectors.bigquery import BATCH
from connectors.operation import Delivery, Item
from connectors.tabular import Column, Table
from tests.connectors.bigquery.place import Place, held, send, spoken, table

VISITS = {"id": "str", "at": "datetime", "cost": "decimal", "paid": "bool"}


def test_a_thousand_entries_take_three_jobs(place: Place) -> None:
    connector = place.connect(table(email=Column(type="str"), visits=Column(type="int")))
    write = connector.writes()["upsert_patients"]
    items = [Item(f"k{at}", f"p{at}", {"email": f"{at}@example.com", "visits": at}) for at in range(1000)]
    assert write.present is not None and write.batch >= len(items)

    write.present(items)
    assert spoken(write.send(items)) == ["done"] * 1000
    assert place.jobs() == ["load", "query"]  # there was no table yet that could be read
    changed = [Item(item.key, item.patient, {"visits": -1}) for item in items]
    place.state.jobs.clear()
    assert write.present(changed) == {item.key: {"visits": at} for at, item in enumerate(items)}
    assert spoken(write.send(changed)) == ["done"] * 1000
    assert place.jobs() == ["load", "query"]  # a short read is none
    assert {(row["email"], row["visits"]) for row in place.rows("patients")} == {
        (f"{at}@example.com", "-1") for at in range(1000)
    }
    connector.close()


def test_more_rows_than_one_answer_holds_are_read(place: Place) -> None:
    connector = place.connect(table(visits=Column(type="int")))
    write = connector.writes()["upsert_patients"]
    items = [Item(f"k{at}", f"p{at}", {"visits": at}) for at in range(write.batch)]
    assert write.present is not None

    write.send(items)
    assert write.present(items) == {item.key: item.arguments for item in items}
    assert place.jobs() == ["load", "query", "read"]
    connector.close()


def test_no_load_ever_goes_into_the_table_itself(place: Place) -> None:
    """A table takes 1,500 loads a day; statements that change rows are not counted."""
    connector = place.connect(table(email=Column(type="str")))
    for number in range(3):
        send(connector, ("1", {"email": str(number)}))

    assert "patients" not in place.state.loads
    assert set(place.state.loads.values()) == {1}
    assert place.staged() == []
    connector.close()


def test_a_batch_of_much_text_is_loaded_in_parts(place: Place) -> None:
    connector = place.connect(table(note=Column(type="str")))
    long = "é" * 900_000

    assert spoken(send(connector, *((str(at), {"note": long}) for at in range(5)))) == ["done"] * 5
    assert place.jobs() == ["load", "load", "load", "query", "query", "query"]
    assert {row["note"] for row in place.rows("patients")} == {long}
    connector.close()


def test_a_row_that_is_too_large_is_refused_and_its_siblings_are_not(place: Place) -> None:
    columns = {f"note_{at}": Column(type="str") for at in range(5)}
    connector = place.connect(table(**columns))
    huge: dict[str, JsonValue] = dict.fromkeys(columns, "x" * 1_000_000)

    assert spoken(send(connector, ("1", huge), ("2", {"note_0": "x"}))) == ["rejected too_long", "done"]
    connector.close()


def test_lists_of_records_are_rows_within_rows(place: Place) -> None:
    connector = place.connect(table(visits=Column(type="json")), patients={"records": {"visits": VISITS}})
    visits: JsonValue = [
        {"id": "v1", "at": "2026-01-02T03:04:05.000006Z", "cost": "12.5", "paid": True},
        {"id": "v2", "at": None, "cost": None, "paid": False},
    ]
    assert spoken(send(connector, ("1", {"visits": visits}), ("2", {"visits": []}))) == ["done", "done"]

    described = place.state.tables["patients"].resource["schema"]["fields"][1]
    assert (described["type"], described["mode"]) == ("RECORD", "REPEATED")
    assert [(each["name"], each["type"]) for each in described["fields"]] == [
        ("id", "STRING"), ("at", "TIMESTAMP"), ("cost", "NUMERIC"), ("paid", "BOOLEAN"),
    ]  # fmt: skip
    assert held(connector, "1", "visits") == {"visits": visits}
    assert held(connector, "2", "visits") == {"visits": []}
    connector.close()


def test_a_list_is_replaced_whole_and_cleared_by_null(place: Place) -> None:
    connector = place.connect(table(visits=Column(type="json")), patients={"records": {"visits": VISITS}})
    write = connector.writes()["upsert_patients"]
    one: JsonValue = {"id": "v1", "at": None, "cost": None, "paid": None}
    assert write.present is not None

    send(connector, ("1", {"visits": [one, one]}))
    send(connector, ("1", {"visits": [one]}))
    assert held(connector, "1", "visits") == {"visits": [one]}
    send(connector, ("1", {"visits": None}))
    assert write.present([Item("k", "1", {"visits": None})]) == {"k": {"visits": None}}
    assert write.present([Item("k", "1", {"visits": []})]) == {"k": {"visits": []}}
    connector.close()


def test_what_is_no_such_list_is_refused(place: Place) -> None:
    connector = place.connect(table(visits=Column(type="json")), patients={"records": {"visits": VISITS}})
    whole = {"id": "v1", "at": None, "cost": None, "paid": None}
    wrong: list[JsonValue] = [
        {"id": "v1"}, "text", [None], [{"id": "v1"}], [{**whole, "more": 1}], [{**whole, "cost": "x"}],
        [{**whole, "id": 7}], [{**whole, "at": "2026-01-01"}], [{**whole, "id": "nul\0"}],
    ]  # fmt: skip

    outcomes = send(connector, *((str(at), {"visits": value}) for at, value in enumerate(wrong)))
    assert {outcome.state for outcome in outcomes} == {"rejected"}
    assert outcomes[-1].code == "nul_character"
    assert place.rows("patients") == []
    connector.close()


def test_the_arguments_show_the_records_fields(place: Place) -> None:
    connector = place.connect(table(visits=Column(type="json")), patients={"records": {"visits": VISITS}})
    write = connector.writes()["upsert_patients"]

    shape = write.arguments.model_json_schema()
    assert list(shape["$defs"]["Visits"]["properties"]) == list(VISITS)
    assert write.delivery is Delivery.UPSERT
    assert write.batch == BATCH
    assert connector.writes()["upsert_patients"].record("1", {}) == '["patients", "1"]'


def test_a_key_of_several_columns_is_one_key(place: Place) -> None:
    policies = Table(
        name="patients",
        key=("patient_id", "policy", "part"),
        patient="patient_id",
        columns={
            "patient_id": Column(type="int"),
            "policy": Column(type="str"),
            "part": Column(type="int"),
            "payer": Column(type="str"),
        },
    )
    connector = place.connect(policies)
    keys: list[dict[str, JsonValue]] = [
        {"policy": "a", "part": 1}, {"policy": "a", "part": 2}, {"policy": "A", "part": 1},
    ]  # fmt: skip
    send(connector, *(("7", {**key, "payer": str(at)}) for at, key in enumerate(keys)))
    send(connector, ("7", {**keys[1], "payer": "changed"}), ("8", {**keys[0], "payer": "other"}))

    rows = [(row["patient_id"], row["policy"], row["part"], row["payer"]) for row in place.rows("patients")]
    assert sorted(rows) == [
        ("7", "A", "1", "2"), ("7", "a", "1", "0"), ("7", "a", "2", "changed"), ("8", "a", "1", "other"),
    ]  # fmt: skip
    present = connector.writes()["upsert_patients"].present
    assert present is not None
    assert present([Item("k", "7", {**keys[0], "payer": "?"}), Item("n", "8", {**keys[1]})]) == {
        "k": {"policy": "a", "part": 1, "payer": "0"}, "n": None,
    }  # fmt: skip
    connector.close()


def test_an_older_sending_never_overwrites_a_newer_one(place: Place) -> None:
    """A statement that was sent, lost and run late finds that a newer one was there."""
    connector = place.connect(table(email=Column(type="str")))
    send(connector, ("1", {"email": "newest"}))
    later = place.rows("patients")[0]["_ferry_at"]
    state = place.state.tables["patients"]
    place.state.load(state, [("1", "newest", 4_000_000_000_000_000)], keep=False)

    outcomes = send(connector, ("1", {"email": "late"}), ("2", {"email": "new"}))
    assert spoken(outcomes) == ["unknown newer_row"] * 2  # sent again, they are the newest
    assert {(row["patient_id"], row["email"]) for row in place.rows("patients")} == {
        ("1", "newest"), ("2", "new"),
    }  # fmt: skip
    assert later is not None
    connector.close()


def test_rows_that_somebody_made_are_adopted(place: Place) -> None:
    place.state.by_hand(
        "patients",
        [
            {"name": "Patient_ID", "type": "STRING"},
            {"name": "email", "type": "STRING"},
            {"name": "vip", "type": "BOOL"},
        ],
    )
    place.state.load(place.state.tables["patients"], [("1", "old", 1)], keep=False)
    connector = place.connect(table(email=Column(type="str")))

    assert spoken(send(connector, ("1", {"email": "new"}))) == ["done"]
    row = place.rows("patients")[0]
    assert (row["Patient_ID"], row["email"], row["vip"]) == ("1", "new", "true")
    connector.close()
