"""Nothing but declared names and bound values reaches a database."""

import pytest
import sqlalchemy as sa
import sqlglot
from pydantic import ValidationError
from sqlalchemy.dialects import mssql
from sqlglot import exp

from connectors.operation import Item
from connectors.sql.dialects import merge, table_of
from connectors.tabular import Column, Table
from tests.connectors.nasty import TEXTS
from tests.connectors.sql.servers import Place
from tests.connectors.sql.test_upsert import PATIENTS, POLICIES

HOSTILE = [
    "", " ", "a b", "a;b", "a--", "a'", 'a"', "a`", "[a]", "a]", "a.b", "a)", "(a", "a,b", "1a", "_a", "a\n",
    "a\0", "\u0430", "ａ", "a\u200b", "a" * 64, "patients; DROP TABLE x", "patients/**/", "a%s", "a:b",
    "a@b", "a$",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_no_name(name: str) -> None:
    key = {"patient_id": Column(type="str")}
    with pytest.raises(ValidationError):
        Table(name=name, key=("patient_id",), patient="patient_id", columns=key)
    with pytest.raises(ValidationError):
        Table(name="t", key=("patient_id",), patient="patient_id", columns={**key, name: Column(type="str")})


@pytest.mark.parametrize("name", ["ferry; DROP SCHEMA x", 'a"b', "", "a.b", "a b"])
def test_a_hostile_schema_is_refused(sqlite: Place, name: str) -> None:
    with pytest.raises(ValueError, match="schema must be"):
        sqlite.sql(PATIENTS, schema=name)


def test_words_of_sql_are_quoted_as_names(place: Place) -> None:
    columns = {name: Column(type="str") for name in ("select", "order", "group", "user", "values", "Table")}
    table = Table(
        name="references",
        key=("primary",),
        patient="primary",
        columns={"primary": Column(type="str"), **columns},
    )
    sql = place.sql(table)

    outcomes = sql.writes()["upsert_references"].send([Item("k", "1", dict.fromkeys(columns, "x"))])
    assert [outcome.state for outcome in outcomes] == ["done"]
    assert sql.drift() == []
    sql.close()


def test_hostile_values_are_only_values(place: Place) -> None:
    sql = place.sql(PATIENTS)
    engine_statements: list[str] = []
    hostile = [text for text in TEXTS if len(text) <= 20] + [
        "'); DELETE FROM patients; --",
        "${jndi:x}",
        "{{x}}",
    ]
    sql.prepare()
    watched = sql._database._engine
    sa.event.listen(watched, "before_cursor_execute", lambda *event: engine_statements.append(event[2]))

    sql.writes()["upsert_patients"].send(
        [Item(f"k{at}", f"p{at}", {"email": text}) for at, text in enumerate(hostile)]
    )
    stored = place.rows("SELECT patient_id, email FROM patients")
    assert dict(tuple(row) for row in stored) == {f"p{at}": text for at, text in enumerate(hostile)}
    assert len(engine_statements) == (2 if place.kind == "postgresql" else 1)  # one makes room for the rows
    told = " ".join(engine_statements)
    assert not any(text in told for text in hostile if "DROP" in text or "DELETE" in text)
    sql.close()


@pytest.mark.parametrize("given", [(), ("first_name",), ("first_name", "balance", "seen_at", "tags")])
@pytest.mark.parametrize("declared", [PATIENTS, POLICIES])
def test_sql_servers_merge_is_one_sound_statement(declared: Table, given: tuple[str, ...]) -> None:
    given = tuple(name for name in given if name in declared.columns)
    table = table_of(declared, "dbo", "mssql")
    text = str(merge(table, declared.key, given).compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]

    parsed = sqlglot.parse(text, read="tsql")
    assert text.endswith(";") and "WITH (HOLDLOCK)" in text
    assert len([each for each in parsed if each is not None]) == 1
    found = parsed[0]
    assert isinstance(found, exp.Merge)
    matched = [when for when in found.args["whens"].expressions if when.args["matched"]]
    assert len(matched) == (1 if given else 0)


def test_sql_servers_merge_names_each_value_once() -> None:
    statement = merge(table_of(POLICIES, None, "mssql"), POLICIES.key, ("payer",))

    assert str(statement) == (
        "MERGE INTO policies WITH (HOLDLOCK) AS target USING (VALUES (:patient_id, :policy_id, :payer))"
        " AS source (patient_id, policy_id, payer)"
        " ON target.patient_id = source.patient_id AND target.policy_id = source.policy_id"
        " WHEN MATCHED THEN UPDATE SET target.payer = source.payer"
        " WHEN NOT MATCHED THEN INSERT (patient_id, policy_id, payer)"
        " VALUES (source.patient_id, source.policy_id, source.payer);"
    )


def test_sql_servers_types_hold_what_is_declared() -> None:
    text = str(
        sa.schema.CreateTable(table_of(PATIENTS, None, "mssql")).compile(dialect=mssql.dialect())  # type: ignore[no-untyped-call]
    )

    for line in (
        "patient_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL",
        "first_name NVARCHAR(20) NULL",
        "email NVARCHAR(max) NULL",
        "visits BIGINT NULL",
        "balance NUMERIC(38, 9) NULL",
        "active BIT NULL",
        "born_on DATE NULL",
        "seen_at DATETIMEOFFSET(6) NULL",
        "tags NVARCHAR(max) NULL",
    ):
        assert line in text
