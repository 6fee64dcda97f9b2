"""What an upsert leaves in the table, on every engine."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from connectors.base import Account
from connectors.errors import Rejected
from connectors.operation import Delivery, Item, Outcome
from connectors.sql import Sql, SqlCredentials
from connectors.tabular import Column, Table
from tests.connectors.sql.servers import Place

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "first_name": Column(type="str", max_length=20),
        "email": Column(type="str"),
        "visits": Column(type="int"),
        "balance": Column(type="decimal"),
        "active": Column(type="bool"),
        "born_on": Column(type="date"),
        "seen_at": Column(type="datetime"),
        "tags": Column(type="json"),
    },
)
POLICIES = Table(
    name="policies",
    key=("patient_id", "policy_id"),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "policy_id": Column(type="int"),
        "payer": Column(type="str", free_text=True),
    },
)
FULL: dict[str, JsonValue] = {
    "first_name": "Ana",
    "email": "ana@example.com",
    "visits": -(2**63),
    "balance": "12345678901234567890123456789.123456789",
    "active": True,
    "born_on": "1990-02-28",
    "seen_at": "2026-03-01T23:59:59.999999Z",
    "tags": ["vip", {"since": 2026, "rate": 1.5, "none": None}],
}


@pytest.fixture
def sql(place: Place) -> Iterator[Sql]:
    made = place.sql(PATIENTS, POLICIES)
    yield made
    made.close()


def upsert(sql: Sql, *rows: tuple[str, Mapping[str, JsonValue]], table: str = "patients") -> list[Outcome]:
    write = sql.writes()[f"upsert_{table}"]
    return list(write.send([Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]))


def held(sql: Sql, patient: str, names: Sequence[str] = tuple(FULL)) -> object:
    present = sql.writes()["upsert_patients"].present
    assert present is not None
    return present([Item("k", patient, dict.fromkeys(names))])["k"]


def states(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.key: f"{outcome.state} {outcome.code}".strip() for outcome in outcomes}


def test_every_type_comes_back_as_it_was_given(sql: Sql) -> None:
    assert states(upsert(sql, ("1", FULL))) == {"k0": "done"}
    assert held(sql, "1") == FULL


def test_missing_null_and_empty_are_three_things(sql: Sql) -> None:
    upsert(sql, ("1", {"first_name": "Ana", "email": "ana@example.com", "visits": 3}))
    upsert(sql, ("1", {"first_name": None, "email": ""}))

    assert held(sql, "1", ("first_name", "email", "visits")) == {"first_name": None, "email": "", "visits": 3}


def test_a_row_without_any_column_is_made_and_never_blanked(sql: Sql) -> None:
    assert held(sql, "1") is None
    upsert(sql, ("1", {}))
    upsert(sql, ("1", FULL))
    upsert(sql, ("1", {}))

    assert held(sql, "1") == FULL


def test_each_item_of_a_mixed_batch_sets_its_own_columns(sql: Sql) -> None:
    upsert(sql, ("1", FULL), ("2", FULL), ("3", FULL))

    outcomes = upsert(sql, ("1", {"visits": 1}), ("2", {"email": None}), ("4", {}), ("3", {"visits": 3}))

    assert states(outcomes) == dict.fromkeys(("k0", "k1", "k2", "k3"), "done")
    assert held(sql, "1") == {**FULL, "visits": 1}
    assert held(sql, "2") == {**FULL, "email": None}
    assert held(sql, "3") == {**FULL, "visits": 3}


def test_the_last_of_one_key_in_a_batch_wins_and_both_have_an_outcome(sql: Sql) -> None:
    outcomes = upsert(sql, ("1", {"visits": 1, "email": "a"}), ("2", {}), ("1", {"visits": 2}))

    assert states(outcomes) == {"k0": "done", "k1": "done", "k2": "done"}
    assert held(sql, "1", ("visits", "email")) == {"visits": 2, "email": "a"}


def test_sending_again_changes_nothing(sql: Sql, place: Place) -> None:
    for _ in range(3):
        upsert(sql, ("1", FULL), ("2", {"email": ""}))

    assert place.rows("SELECT count(*) FROM patients") == [(2,)]


def test_a_child_table_has_a_row_for_each_further_key(sql: Sql, place: Place) -> None:
    outcomes = upsert(
        sql,
        ("1", {"policy_id": 7, "payer": "Aetna"}),
        ("1", {"policy_id": 8, "payer": None}),
        ("2", {"policy_id": 7, "payer": "Cigna"}),
        ("2", {"payer": "no key"}),
        table="policies",
    )

    assert states(outcomes) == {"k0": "done", "k1": "done", "k2": "done", "k3": "rejected missing_argument"}
    query = "SELECT patient_id, policy_id, payer FROM policies ORDER BY 1, 2"
    assert place.rows(query) == [("1", 7, "Aetna"), ("1", 8, None), ("2", 7, "Cigna")]


def test_present_tells_absent_rows_from_empty_ones(sql: Sql) -> None:
    present = sql.writes()["upsert_policies"].present
    upsert(
        sql, ("1", {"policy_id": 7, "payer": None}), ("2", {"policy_id": 8, "payer": ""}), table="policies"
    )
    assert present is not None

    wanted = [("a", "1", 7), ("b", "2", 8), ("c", "1", 8), ("d", "2", 7)]
    held = present(
        [Item(key, patient, {"policy_id": policy, "payer": "x"}) for key, patient, policy in wanted]
    )
    assert held == {
        "a": {"policy_id": 7, "payer": None},
        "b": {"policy_id": 8, "payer": ""},
        "c": None,
        "d": None,
    }


def test_present_asks_for_more_keys_than_one_statement_takes(sql: Sql) -> None:
    write = sql.writes()["upsert_patients"]
    items = [Item(f"k{number}", str(number), {"visits": number}) for number in range(1203)]
    for at in range(0, len(items), write.batch):
        write.send(items[at : at + write.batch])
    assert write.present is not None

    assert write.present(items) == {item.key: item.arguments for item in items}


def test_keys_are_exact(sql: Sql, place: Place) -> None:
    keys = ["1", "01", "a", "A", "á", "ss", "ß", "ı", "i", "İ", "Ａ", "é", "e\u0301", "a b", "a'b", 'a"b']
    rows: list[tuple[str, dict[str, JsonValue]]] = [(key, {"email": key}) for key in keys]
    outcomes = upsert(sql, *rows)

    assert {outcome.state for outcome in outcomes} == {"done"}
    assert sorted(place.rows("SELECT patient_id, email FROM patients")) == sorted((key, key) for key in keys)


@pytest.mark.parametrize("key", ["", " 1", "1 ", "\u20281", "x" * 201, "1\0", "1\ud800"])
def test_a_key_that_engines_compare_differently_is_refused(sql: Sql, key: str) -> None:
    assert upsert(sql, (key, {}))[0].state == "rejected"


def test_the_account_names_the_database(sql: Sql, place: Place) -> None:
    account = sql.check()

    assert isinstance(account, Account)
    assert account.system == "sql"
    assert not account.sandbox
    assert account.identity.startswith(f"{place.kind}://")
    assert "@" not in account.identity


def test_a_write_says_how_it_is_delivered(sql: Sql) -> None:
    write = sql.writes()["upsert_policies"]

    assert write.delivery == Delivery.UPSERT
    assert write.batch == 2000
    assert write.free_text == {"payer"}
    assert "patient_id" not in write.arguments.model_fields
    assert write.record("1", {"policy_id": 7}) == '["policies", "1", 7]'


def test_sqlite_in_memory_is_refused(tmp_path: Path) -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(Rejected):
            Sql(SqlCredentials(url=SecretStr(url)), [PATIENTS])
