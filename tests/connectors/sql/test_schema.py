"""Tables that are not as they were declared: what is added, what is reported, what is refused."""

import traceback

import pytest
from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.operation import Item
from connectors.sql import Sql
from connectors.tabular import Column, Drift, Table
from tests.connectors.sql.servers import Place

MOMENT = {"sqlite": "DATETIME", "postgresql": "TIMESTAMPTZ", "mysql": "DATETIME(6)"}
EXACT = {"sqlite": "TEXT", "postgresql": "NUMERIC(38,9)", "mysql": "DECIMAL(38,9)"}
KEY = {"sqlite": "TEXT", "postgresql": "TEXT", "mysql": "VARCHAR(200) COLLATE utf8mb4_bin"}


def table(**columns: Column) -> Table:
    return Table(
        name="patients",
        key=("patient_id",),
        patient="patient_id",
        columns={"patient_id": Column(type="str"), **columns},
    )


def send(sql: Sql, patient: str, **values: JsonValue) -> str:
    outcome = sql.writes()["upsert_patients"].send([Item("k", patient, values)])[0]
    return f"{outcome.state} {outcome.code}".strip()


def codes(sql: Sql) -> set[tuple[str, str]]:
    return {(drift.column, drift.code) for drift in sql.drift()}


def test_a_table_that_is_not_there_is_made(place: Place) -> None:
    sql = place.sql(table(email=Column(type="str")))
    assert sql.drift() == []

    sql.prepare()
    assert place.rows("SELECT patient_id, email FROM patients") == []
    assert sql.drift() == []
    sql.close()


def test_before_the_first_write_nothing_is_present_and_nothing_is_made(place: Place) -> None:
    sql = place.sql(table(email=Column(type="str")))
    present = sql.writes()["upsert_patients"].present
    assert present is not None

    assert present([Item("k", "1", {"email": "a"})]) == {"k": None}
    assert sql.drift() == []
    place.run(
        f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY)",
        "INSERT INTO patients VALUES ('1')",
    )
    assert present([Item("k", "1", {"email": "a"}), Item("bad", " ", {}), Item("no", "2", {})]) == {
        "k": {}, "bad": None, "no": None,
    }  # fmt: skip
    assert codes(sql) == {("email", "missing_column")}
    sql.close()


def test_a_cell_of_another_type_is_not_quoted(sqlite: Place) -> None:
    sql = sqlite.sql(table(paid=Column(type="decimal")))
    sql.prepare()
    sqlite.run("INSERT INTO patients VALUES ('1', 'ana@example.com')")
    present = sql.writes()["upsert_patients"].present
    assert present is not None

    with pytest.raises(Rejected) as rejected:
        present([Item("k", "1", {"paid": "1"})])
    assert rejected.value.code == "bad_value"
    assert "ana" not in "".join(traceback.format_exception(rejected.value))
    sql.close()


def test_looking_changes_nothing(place: Place) -> None:
    place.run(f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY)")
    sql = place.sql(table(email=Column(type="str")))

    sql.check()
    assert sql.drift() == [Drift("patients", "email", "missing_column")]
    assert sql.drift() == [Drift("patients", "email", "missing_column")]
    sql.close()


def test_columns_are_added_and_others_left_alone(place: Place) -> None:
    place.run(
        f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY, legacy INTEGER)",
        "INSERT INTO patients (patient_id, legacy) VALUES ('1', 7)",
    )
    columns = {name: Column(type=name) for name in ("str", "int", "decimal", "bool", "date", "datetime")}
    sql = place.sql(
        table(**{f"a_{name}": column for name, column in columns.items()}, a_json=Column(type="json"))
    )

    assert send(sql, "1", a_str="x", a_json=[1]) == "done"
    assert codes(sql) == {("legacy", "extra_column")}
    assert place.rows("SELECT patient_id, legacy, a_str, a_int FROM patients") == [("1", 7, "x", None)]
    sql.close()


def test_a_column_of_the_wrong_type_refuses_only_its_own_writes(place: Place) -> None:
    place.run(
        f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY, born_on INTEGER, email TEXT)"
    )
    sql = place.sql(table(born_on=Column(type="date"), email=Column(type="str")))

    assert codes(sql) == {("born_on", "wrong_type")}
    assert send(sql, "1", born_on="1990-01-01") == "rejected schema_drift"
    assert send(sql, "1", email="ana@example.com") == "done"
    assert place.rows("SELECT patient_id, born_on FROM patients") == [("1", None)]
    sql.close()


@pytest.mark.parametrize("key", ["{key}", "{key} NULL, other INTEGER, UNIQUE (patient_id, other)"])
def test_without_a_unique_key_nothing_is_written(place: Place, key: str) -> None:
    place.run(f"CREATE TABLE patients (patient_id {key.format(key=KEY[place.kind])})")
    sql = place.sql(table())

    assert ("", "missing_key") in codes(sql)
    assert send(sql, "1") == "rejected schema_drift"
    assert place.rows("SELECT * FROM patients") == []
    sql.close()


def test_a_unique_index_is_a_key(place: Place) -> None:
    place.run(
        f"CREATE TABLE patients (patient_id {KEY[place.kind]} NOT NULL, email TEXT)",
        "CREATE UNIQUE INDEX by_patient ON patients (patient_id)",
    )
    sql = place.sql(table(email=Column(type="str")))

    assert [send(sql, "1", email="a"), send(sql, "1", email="b")] == ["done", "done"]
    assert place.rows("SELECT * FROM patients") == [("1", "b")]
    sql.close()


def test_a_key_over_the_beginning_of_a_column_is_no_key(mysql: Place) -> None:
    mysql.run(
        "CREATE TABLE patients (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
        " patient_id VARCHAR(200) COLLATE utf8mb4_bin NOT NULL, UNIQUE (patient_id(2)))"
    )
    sql = mysql.sql(table())

    assert codes(sql) == {("", "missing_key"), ("id", "extra_column")}
    assert send(sql, "1") == "rejected schema_drift"
    sql.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_unique_index_over_some_rows_is_no_key(request: pytest.FixtureRequest, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)
    place.run(
        "CREATE TABLE patients (patient_id TEXT NOT NULL, email TEXT)",
        "CREATE UNIQUE INDEX by_patient ON patients (patient_id) WHERE email IS NOT NULL",
    )
    sql = place.sql(table(email=Column(type="str")))

    assert ("", "missing_key") in codes(sql)
    assert send(sql, "1", email="a") == "rejected schema_drift"
    sql.close()


def test_another_unique_key_never_leads_to_another_patients_row(place: Place) -> None:
    place.run(
        f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY, email VARCHAR(200), city TEXT)",
        "CREATE UNIQUE INDEX by_email ON patients (email)",
    )
    sql = place.sql(table(email=Column(type="str", max_length=200), city=Column(type="str")))
    send(sql, "1", email="ana@example.com", city="Boston")

    outcome = send(sql, "2", email="ana@example.com", city="Chicago")
    assert outcome == "rejected duplicate"
    assert place.rows("SELECT * FROM patients") == [("1", "ana@example.com", "Boston")]
    assert send(sql, "1", email="ana@example.com", city="Denver") == "done"
    sql.close()


@pytest.mark.parametrize("null", ["NULL", "NOT NULL"])
def test_a_unique_key_that_is_met_first_never_leads_to_another_patients_row(mysql: Place, null: str) -> None:
    mysql.run(
        "CREATE TABLE patients (id BIGINT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(200) NOT NULL UNIQUE, "
        f"patient_id {KEY['mysql']} {null}, city TEXT, UNIQUE (patient_id))",
        "INSERT INTO patients (patient_id, email, city) VALUES ('1', 'ana@example.com', 'Boston')",
    )
    sql = mysql.sql(table(email=Column(type="str", max_length=200), city=Column(type="str")))
    items = [Item(f"k{at}", str(at), {"email": f"{at}@example.com", "city": "Rome"}) for at in range(3, 9)]
    other = Item("k2", "2", {"email": "ana@example.com", "city": "Chicago"})
    outcomes = sql.writes()["upsert_patients"].send([*items, other])

    assert mysql.rows("SELECT patient_id, city FROM patients WHERE email = 'ana@example.com'") == [
        ("1", "Boston")
    ]
    told = {f"{one.state} {one.code}".strip() for one in outcomes if one.key != "k2"}
    assert told == {"done" if null == "NOT NULL" else "rejected schema_drift"}
    assert {one.code for one in outcomes if one.key == "k2"} <= {"duplicate", "schema_drift"}
    sql.close()


def test_a_column_dropped_meanwhile_is_added_again(place: Place) -> None:
    sql = place.sql(table(email=Column(type="str"), city=Column(type="str")))
    assert send(sql, "1", email="a", city="b") == "done"
    place.run("ALTER TABLE patients DROP COLUMN email")

    assert send(sql, "1", email="a") == "rejected schema_drift"
    assert send(sql, "1", email="a") == "done"
    sql.close()


def test_what_would_be_cut_or_rounded_is_refused(place: Place) -> None:
    exact = EXACT[place.kind].replace(",9", ",2")
    place.run(
        f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY, name VARCHAR(5), paid {exact}, "
        f"at {MOMENT[place.kind].replace('(6)', '(0)')})"
    )
    columns = table(name=Column(type="str"), paid=Column(type="decimal"), at=Column(type="datetime"))
    sql = place.sql(columns)

    assert send(sql, "1", name="12345", paid="1.25", at="2026-01-01T00:00:00Z") == "done"
    assert ("name", "narrower") in codes(sql)
    assert send(sql, "1", name="1234  ") == "rejected too_long"
    if place.kind != "sqlite":
        assert send(sql, "1", paid="1.255") == "rejected too_precise"
    if place.kind == "mysql":
        assert send(sql, "1", at="2026-01-01T00:00:00.5Z") == "rejected too_precise"
    sql.close()


def test_a_column_that_rows_must_fill_is_reported(place: Place) -> None:
    place.run(f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY, clinic INTEGER NOT NULL)")
    sql = place.sql(table(email=Column(type="str")))

    assert ("clinic", "required_column") in codes(sql)
    assert send(sql, "1", email="a") == "rejected not_null"
    sql.close()


def test_a_key_that_ignores_case_takes_only_what_cannot_be_confused(mysql: Place) -> None:
    mysql.run("CREATE TABLE patients (patient_id VARCHAR(50) COLLATE utf8mb4_general_ci PRIMARY KEY)")
    sql = mysql.sql(table())

    assert codes(sql) == {("patient_id", "inexact_key"), ("patient_id", "narrower")}
    assert [send(sql, key) for key in ("17", "a7", "A7", "á", "a-7")] == [
        "done", "done", "rejected inexact_key", "rejected inexact_key", "rejected inexact_key",
    ]  # fmt: skip
    sql.close()


def test_a_collation_that_takes_two_texts_for_one_is_known(postgresql: Place) -> None:
    """Only ICU has such, which the packaged PostgreSQL is built without: one of libc's says it is one."""
    postgresql.run(
        "CREATE COLLATION loose (provider = libc, locale = 'C')",
        "CREATE TABLE patients (patient_id TEXT COLLATE loose PRIMARY KEY)",
        "UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'loose'",
    )
    sql = postgresql.sql(table())

    assert codes(sql) == {("patient_id", "inexact_key")}
    assert [send(sql, "a7"), send(sql, "A7")] == ["done", "rejected inexact_key"]
    sql.close()


def test_a_named_schema_is_used(postgresql: Place) -> None:
    postgresql.run("CREATE SCHEMA ferry")
    sql = postgresql.sql(table(email=Column(type="str")), schema="ferry")

    assert send(sql, "1", email="a") == "done"
    assert postgresql.rows("SELECT * FROM ferry.patients") == [("1", "a")]
    assert sql.drift() == []
    sql.close()


def test_a_moment_without_its_offset_is_no_moment(postgresql: Place) -> None:
    postgresql.run("CREATE TABLE patients (patient_id TEXT PRIMARY KEY, at TIMESTAMP)")
    sql = postgresql.sql(table(at=Column(type="datetime")))

    assert codes(sql) == {("at", "wrong_type")}
    sql.close()
