"""Loads into a warehouse: what is merged, what is counted, what drifted, and what is refused."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from pydantic import JsonValue, ValidationError

from connectors.errors import Unauthorized
from connectors.operation import Item, Outcome
from connectors.redshift import Redshift, RedshiftCredentials, RedshiftOptions
from connectors.redshift.failures import failure_of
from connectors.sandbox.redshift import Allowed
from connectors.sandbox.redshift.dialect import refused
from connectors.tabular import Column, Drift, Table
from tests.campaign import FULL
from tests.connectors import upserts
from tests.connectors.bucket import moto
from tests.connectors.redshift.places import Warehouse

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "fullName": Column(type="str", max_length=10),
        "note": Column(type="str"),
        "visits": Column(type="int"),
        "policies": Column(type="json"),
    },
)
THEN = "UPDATE SET y = 1 WHEN NOT MATCHED THEN INSERT (x) VALUES (1)"
QUIET = settings(
    max_examples=200 if FULL else 12,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def redshift(warehouse: Warehouse) -> Iterator[Redshift]:
    with closing(warehouse.redshift(PATIENTS)) as made:
        yield made


def upsert(redshift: Redshift, *rows: tuple[str, Mapping[str, JsonValue]]) -> list[Outcome]:
    items = [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]
    return list(redshift.writes()["upsert_patients"].send(items))


def in_order(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda outcome: outcome.key)


def present(redshift: Redshift, patient: str, *names: str) -> Mapping[str, JsonValue] | None:
    ask = redshift.writes()["upsert_patients"].present
    assert ask is not None
    return ask([Item("k", patient, dict.fromkeys(names))])["k"]


def test_what_an_item_does_not_set_stays(redshift: Redshift, warehouse: Warehouse) -> None:
    upsert(redshift, ("1", {"fullName": "Ana", "visits": 3, "policies": [{"id": 7}]}), ("2", {}))
    outcomes = upsert(redshift, ("1", {"fullName": None}), ("2", {"visits": 5}), ("3", {"note": ""}))

    assert [outcome.state for outcome in outcomes] == ["done"] * 3
    query = "SELECT patient_id, fullname, note, visits, policies FROM patients ORDER BY 1"
    assert warehouse.rows(query) == [
        ("1", None, None, 3, [{"id": 7}]),
        ("2", None, None, 5, None),
        ("3", None, "", None, None),
    ]
    assert present(redshift, "1", "fullName", "policies") == {"fullName": None, "policies": [{"id": 7}]}
    assert present(redshift, "9", "visits") is None


def test_a_thousand_entries_are_four_statements(redshift: Redshift, warehouse: Warehouse) -> None:
    redshift.prepare()
    upsert(redshift, ("first", {"visits": 0}))  # the session has its stage from here on
    warehouse.stand_in.statements.clear()
    rows: list[tuple[str, Mapping[str, JsonValue]]] = [
        (f"p{at}", {"fullName": f"Ana {at}", "visits": at}) for at in range(1000)
    ]
    assert {outcome.state for outcome in upsert(redshift, *rows)} == {"done"}

    asked = [one for one in warehouse.stand_in.statements if one not in ("BEGIN", "COMMIT")]
    assert [one.split()[0] for one in asked] == ["UPDATE", "DELETE", "COPY", "MERGE"]
    assert warehouse.rows("SELECT count(*), sum(visits) FROM patients") == [(1001, 499_500)]
    assert warehouse.rows("SELECT number, row_count FROM _loads") == [(2, 1000)]
    assert moto.keys(warehouse.bucket) == [], "what was loaded does not stay in the bucket"


def test_the_table_is_what_a_dict_would_be(warehouse: Warehouse) -> None:
    with closing(warehouse.redshift(upserts.TABLE)) as redshift:
        redshift.prepare()
        write = redshift.writes()[upserts.TABLE.write]

        @QUIET
        @given(upserts.BATCHES)
        def holds(batches: Sequence[Sequence[upserts.Upsert]]) -> None:
            warehouse.run("DELETE FROM everything")
            upserts.check(write, batches)

        holds()


def test_json_that_looks_alike_is_told_apart(warehouse: Warehouse) -> None:
    with closing(warehouse.redshift(upserts.TABLE)) as redshift:
        upserts.check_alike(redshift.writes()[upserts.TABLE.write])


def test_a_text_that_is_the_null_marker_is_that_text(redshift: Redshift) -> None:
    texts = ["~null~", "~null~~", "\\N", "NULL", "", '"', None]
    upsert(redshift, *((f"p{at}", {"note": text}) for at, text in enumerate(texts)))

    assert [present(redshift, f"p{at}", "note") for at in range(len(texts))] == [
        {"note": text} for text in texts
    ]


def test_lengths_are_bytes(redshift: Redshift) -> None:
    outcomes = upsert(
        redshift,
        ("1", {"note": "x" * 65_535}),
        ("2", {"note": "é" * 40_000}),
        ("3", {"fullName": "👩" * 10}),
        ("4", {"fullName": "x" * 11}),
        ("5", {"policies": ["x" * 65_535]}),
    )

    assert [one.code for one in in_order(outcomes)] == ["", "too_long", "", "too_long", "too_long"]
    assert present(redshift, "3", "fullName") == {"fullName": "👩" * 10}


def test_a_row_that_is_refused_leaves_its_siblings_alone(redshift: Redshift, warehouse: Warehouse) -> None:
    redshift.prepare()
    warehouse.run("ALTER TABLE patients ALTER visits SET NOT NULL")
    rows: list[tuple[str, Mapping[str, JsonValue]]] = [(f"p{at}", {"visits": at}) for at in range(20)]
    rows[7] = ("p7", {"visits": None})
    outcomes = upsert(redshift, *rows)

    assert {one.key: one.code for one in outcomes if one.state != "done"} == {"k7": "not_null"}
    assert warehouse.rows("SELECT count(*) FROM patients") == [(19,)]


def test_a_table_of_the_tenants_is_taken_as_it_is(redshift: Redshift, warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE patients (patient_id VARCHAR(20) NOT NULL, fullname VARCHAR(5), visits VARCHAR(9), "
        "vip BOOLEAN DEFAULT true)",
        "INSERT INTO patients VALUES ('1', 'Ana', 'many', true)",
    )

    assert {(drift.column, drift.code) for drift in redshift.drift()} == {
        ("note", "missing_column"), ("policies", "missing_column"), ("visits", "wrong_type"),
        ("patient_id", "narrower"), ("fullName", "narrower"), ("vip", "extra_column"),
    }  # fmt: skip
    outcomes = upsert(
        redshift,
        ("1", {"fullName": "Anna"}), ("2", {"visits": 3}), ("3", {"fullName": "Zephyr"}),
        ("4" * 21, {"note": ""}), ("5", {"note": "new", "policies": {}}),
    )  # fmt: skip
    codes = [one.code for one in in_order(outcomes)]
    assert codes == ["", "schema_drift", "too_long", "too_long", ""]
    query = "SELECT patient_id, fullname, visits, vip, note FROM patients ORDER BY 1"
    assert warehouse.rows(query) == [("1", "Anna", "many", True, None), ("5", None, None, True, "new")]


def test_doubled_keys_are_no_place_to_write(redshift: Redshift, warehouse: Warehouse) -> None:
    """Redshift enforces no key: a table may hold two rows of one patient, and which one would be ours?"""
    redshift.prepare()
    warehouse.run("INSERT INTO patients (patient_id) VALUES ('1'), ('1')")

    with closing(warehouse.redshift(PATIENTS)) as again:
        assert Drift("patients", "", "missing_key") in again.drift()
        assert upsert(again, ("2", {})) == [Outcome("k0", "rejected", "schema_drift")]


def test_a_column_that_goes_away_is_noticed(redshift: Redshift, warehouse: Warehouse) -> None:
    upsert(redshift, ("1", {"visits": 1}))
    warehouse.run("ALTER TABLE patients DROP COLUMN visits")

    assert [one.code for one in upsert(redshift, ("1", {"visits": 2}))] == ["schema_drift"]
    assert [one.state for one in upsert(redshift, ("1", {"visits": 2}))] == ["done"]


def test_every_statement_is_redshifts(redshift: Redshift, warehouse: Warehouse) -> None:
    upsert(redshift, ("1", {"visits": 1, "policies": []}), ("2", {"note": "x"}))
    present(redshift, "1", "visits", "policies")
    redshift.drift()
    redshift.check()

    said = set(warehouse.stand_in.statements)
    assert any(one.startswith("MERGE") for one in said)
    for one in said:
        assert not refused(one), one
        if not one.startswith(("COPY", "SET", "begin")):
            sqlglot.parse_one(one.replace("%s", "?"), read="redshift", error_level=sqlglot.ErrorLevel.RAISE)


@pytest.mark.parametrize(
    "statement",
    [
        f"MERGE INTO a AS t USING s ON t.x = s.x WHEN MATCHED THEN {THEN}",
        f"MERGE INTO a USING s ON a.x = s.x WHEN MATCHED AND a.y < s.y THEN {THEN}",
        "MERGE INTO a USING s ON a.x = s.x WHEN MATCHED THEN UPDATE SET y = 1",
        f"MERGE INTO a USING (SELECT 1) s ON a.x = s.x WHEN MATCHED THEN {THEN}",
        "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
        "CREATE TABLE a (b TEXT)",
        "CREATE TABLE a (b VARCHAR(65536))",
        "TRUNCATE a",
    ],
)  # fmt: skip
def test_the_stand_in_refuses_what_redshift_would(statement: str) -> None:
    assert refused(statement)


def test_who_is_not_let_in_is_told(warehouse: Warehouse) -> None:
    values = {**warehouse.values(), "password": "wrong-password"}
    with closing(Redshift(RedshiftCredentials.model_validate(values), [PATIENTS])) as redshift:
        for act in (redshift.check, redshift.prepare, lambda: upsert(redshift, ("1", {}))):
            with pytest.raises(Unauthorized) as error:
                act()
            assert "wrong-password" not in str(error.value)


def test_a_role_that_may_not_read_the_bucket_is_the_tenants_matter(
    redshift: Redshift, warehouse: Warehouse
) -> None:
    redshift.prepare()
    warehouse.stand_in.allowed = Allowed(role="arn:aws:iam::123456789012:role/another")

    with pytest.raises(Unauthorized) as error:
        upsert(redshift, ("1", {}))
    assert error.value.code == "copy_role"
    assert warehouse.rows("SELECT number FROM _loads") == [(0,)]


def test_what_lacks_is_named(redshift: Redshift, warehouse: Warehouse) -> None:
    name = warehouse.values()["database"]
    warehouse.run("CREATE ROLE narrow LOGIN", f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    warehouse.stand_in.behind = replace(warehouse.stand_in.behind, user="narrow")
    lacks = redshift.check().missing
    warehouse.run("DROP ROLE narrow")

    assert lacks == ("CREATE on schema public", "TEMPORARY on the database")


def test_the_account_is_the_warehouse_and_the_bucket(redshift: Redshift, warehouse: Warehouse) -> None:
    account = redshift.check()

    here, name = f"127.0.0.1:{warehouse.stand_in.port}", warehouse.values()["database"]
    assert not account.sandbox and account.missing == ()
    assert account.identity == f"redshift://{here}/{name}, s3://127.0.0.1/{warehouse.bucket}"


@pytest.mark.parametrize(
    ("state", "words", "code"),
    [
        ("40001", "", "contention"),
        ("XX000", "1023: serializable isolation violation on table", "contention"),
        ("XX000", "Load into table 'x' failed.  Check 'sys_load_error_detail' for details.", "invalid_value"),
        ("XX000", "S3ServiceException:Access Denied,Status 403", "copy_role"),
        ("XX000", "User arn:x is not authorized to assume IAM Role", "copy_role"),
        ("57P01", "terminating connection", "connection_lost"),
        ("42501", "permission denied", "forbidden"),
        ("XX000", "something new", "server_failed"),
    ],
)
def test_every_failure_has_its_meaning(state: str, words: str, code: str) -> None:
    assert failure_of(ValueError({"C": state, "M": words})).code == code


@pytest.mark.parametrize(
    "wrong",
    [{"copy_role": "arn:aws:iam::1:role/x' CREDENTIALS 'y"}, {"copy_role": "admin"}, {"database": "a;b"},
     {"warehouse": "http://example.com:5439"}, {"warehouse": "https://10.0.0.1:5439"}, {"bucket": "a'b"}],
)  # fmt: skip
def test_a_warehouse_that_is_none_is_refused(warehouse: Warehouse, wrong: Mapping[str, str]) -> None:
    with pytest.raises(ValidationError):
        RedshiftCredentials.model_validate({**warehouse.values(), **wrong})


@pytest.mark.parametrize("wrong", [{"prefix": "a'b"}, {"prefix": "/"}, {"database_schema": "a.b"}, {"x": 1}])
def test_an_option_that_is_none_is_refused(wrong: Mapping[str, object]) -> None:
    with pytest.raises(ValidationError):
        RedshiftOptions.model_validate(wrong)


def test_a_schema_of_its_own(warehouse: Warehouse) -> None:
    warehouse.run("CREATE SCHEMA lake")
    made = RedshiftCredentials.model_validate(warehouse.values())
    with closing(Redshift(made, [PATIENTS], RedshiftOptions(database_schema="Lake"))) as redshift:
        assert [one.state for one in upsert(redshift, ("1", {"visits": 1}))] == ["done"]

    assert warehouse.rows("SELECT patient_id, visits FROM lake.patients") == [("1", 1)]
