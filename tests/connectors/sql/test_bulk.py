"""A batch is a few statements, however many rows it has, and keeps what single ones promised."""

import threading

import pytest
import sqlalchemy as sa
from pydantic import JsonValue

from connectors.errors import ConnectorError, Unauthorized, Unknown
from connectors.operation import Item
from connectors.sandbox.faults import Fault, Trouble
from connectors.sandbox.wire import Wire
from connectors.sql import Sql
from connectors.tabular import Column, Table
from tests.connectors.sql.servers import Place
from tests.connectors.sql.test_failures import CANARY, nothing_leaks
from tests.connectors.sql.test_failures import send as send_patients
from tests.connectors.sql.test_upsert import FULL, PATIENTS

ROWS = 2000


def items(number: int = ROWS) -> list[Item]:
    return [Item(f"k{at}", str(at), {**FULL, "visits": at}) for at in range(number)]


def send(sql: Sql, sent: list[Item]) -> dict[str, str]:
    outcomes = sql.writes()["upsert_patients"].send(sent)
    return {outcome.key: f"{outcome.state} {outcome.code}".strip() for outcome in outcomes}


def test_postgresql_takes_a_batch_by_one_copy(postgresql: Place) -> None:
    sql = postgresql.sql(PATIENTS)
    sql.prepare()
    statements: list[str] = []
    sa.event.listen(
        sql._database._engine, "before_cursor_execute", lambda *event: statements.append(event[2])
    )
    mixed = [*items(), Item("x", "x", {"email": "x"}), Item("y", "y", {})]

    assert set(send(sql, mixed).values()) == {"done"}
    assert [statement.partition(" ")[0] for statement in statements] == ["CREATE"] + ["INSERT"] * 3
    assert postgresql.rows("SELECT count(*), count(visits), count(email) FROM patients") == [
        (ROWS + 2, ROWS, ROWS + 1)
    ]
    sql.close()


def test_mariadb_takes_a_batch_by_one_insert(mysql: Place) -> None:
    sql = mysql.sql(PATIENTS)
    sql.prepare()
    count = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'COM_INSERT'"
    before = int(mysql.rows(count)[0][0])

    assert set(send(sql, items()).values()) == {"done"}
    assert int(mysql.rows(count)[0][0]) - before == 1
    assert mysql.rows("SELECT count(*) FROM patients") == [(ROWS,)]
    sql.close()


def test_nothing_of_the_way_there_is_left_behind(postgresql: Place) -> None:
    postgresql.run("CREATE TABLE _ferry_rows (mine INTEGER)", "INSERT INTO _ferry_rows VALUES (7)")
    sql = postgresql.sql(PATIENTS)
    for _ in range(2):
        assert set(send(sql, items(3)).values()) == {"done"}

    assert postgresql.rows("SELECT mine FROM _ferry_rows") == [(7,)]
    assert postgresql.rows("SELECT count(*) FROM pg_class WHERE relname = '_ferry_rows'") == [(1,)]
    sql.close()


def test_a_value_is_read_by_the_type_that_holds_it(postgresql: Place) -> None:
    postgresql.run(
        "CREATE TABLE patients (patient_id VARCHAR(20) PRIMARY KEY, visits SMALLINT, tags JSON, email TEXT)"
    )
    columns = {name: PATIENTS.columns[name] for name in ("patient_id", "visits", "tags", "email")}
    sql = postgresql.sql(PATIENTS.model_copy(update={"columns": columns}))
    values: list[dict[str, JsonValue]] = [
        {"visits": 32_767, "tags": {"b": 1, "a": [None, "\\N", "\t"]}},
        {"visits": 32_768, "tags": "true"},
        {"visits": -1, "tags": True, "email": "\\N"},
        {"visits": None, "tags": None, "email": "\\.\n\t\\"},
    ]
    sent = [Item(f"k{at}", str(at), value) for at, value in enumerate(values)]

    assert send(sql, sent) == {"k0": "done", "k1": "rejected out_of_range", "k2": "done", "k3": "done"}
    present = sql.writes()["upsert_patients"].present
    assert present is not None
    assert present(sent) == {"k0": values[0], "k1": None, "k2": values[2], "k3": values[3]}
    sql.close()


@pytest.mark.parametrize("trouble", ["reset", "reset_applied"])
@pytest.mark.parametrize("word", ["COPY", "CREATE TEMPORARY"])
def test_a_connection_that_is_cut_on_the_way_is_unknown(
    postgresql: Place, word: str, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table(
        name="patients",
        key=("patient_id",),
        patient="patient_id",
        columns={"patient_id": Column(type="str"), "email": Column(type="str")},
    )
    with Wire(postgresql.behind) as wire:
        sql = postgresql.through(wire).sql(table)
        sql.prepare()
        wire.faults(Fault(trouble=trouble, path=word))
        with pytest.raises(Unknown) as unknown:
            send_patients(sql, ("1", {"email": CANARY}))
        nothing_leaks(unknown.value)

        assert caplog.records == []
        assert wire.troubles == 1
        assert send_patients(sql, ("1", {"email": CANARY})) == ["done"]
        sql.close()


def test_what_the_table_has_of_its_own_goes_on_working(postgresql: Place) -> None:
    """A generated column, a trigger, policies for rows, and a search path that leads elsewhere first."""
    postgresql.run(
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE patients (patient_id TEXT PRIMARY KEY, email TEXT, visits BIGINT, clinic TEXT "
        "DEFAULT current_user, loud TEXT GENERATED ALWAYS AS (upper(email)) STORED, times INT DEFAULT 0)",
        "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.times = OLD.times + 1; RETURN NEW; END $$",
        "CREATE TRIGGER counted BEFORE UPDATE ON patients FOR EACH ROW EXECUTE FUNCTION counted()",
        "INSERT INTO patients VALUES ('9', 'theirs', 9, 'another')",
        "ALTER TABLE patients ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY own ON patients USING (clinic = current_user)",
        "DROP ROLE IF EXISTS clinic",
        "CREATE ROLE clinic LOGIN",
        "ALTER ROLE clinic SET search_path = elsewhere, public",
        "GRANT ALL ON patients TO clinic",
        "GRANT USAGE, CREATE ON SCHEMA elsewhere, public TO clinic",
    )
    url = sa.make_url(postgresql.url).set(username="clinic").render_as_string()
    columns = {name: PATIENTS.columns[name] for name in ("patient_id", "email", "visits")}
    sql = Place("postgresql", url).sql(PATIENTS.model_copy(update={"columns": columns}))
    rows = [Item(f"k{at}", str(at), {"email": "ours", "visits": at}) for at in range(5, 10)]

    assert send(sql, rows) == {**dict.fromkeys(("k5", "k6", "k7", "k8"), "done"), "k9": "rejected refused"}
    assert send(sql, [Item("k5", "5", {"visits": 1})]) == {"k5": "done"}
    found = postgresql.rows("SELECT patient_id, email, visits, clinic, loud, times FROM patients ORDER BY 1")
    assert found[0] == ("5", "ours", 1, "clinic", "OURS", 1)
    assert found[4] == ("9", "theirs", 9, "another", "THEIRS", 0)
    assert postgresql.rows("SELECT count(*) FROM pg_class WHERE relname = 'patients'") == [(1,)]
    sql.close()
    postgresql.run("DROP OWNED BY clinic", "DROP ROLE clinic")


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_two_runs_at_once_never_lock_each_other_out(request: pytest.FixtureRequest, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)
    sql = place.sql(PATIENTS)
    rows = items(500)
    send(sql, rows)
    told: list[set[str]] = []
    both = threading.Barrier(2)

    def run(ours: list[Item]) -> None:
        for _ in range(4):
            both.wait()
            try:
                told.append(set(send(sql, ours).values()))
            except ConnectorError as error:
                told.append({error.code})

    other = threading.Thread(target=run, args=(rows[::-1],))
    other.start()
    run(rows)
    other.join()

    assert told == [{"done"}] * 8
    sql.close()


def test_a_user_without_temporary_tables_is_told_so(postgresql: Place) -> None:
    name = sa.make_url(postgresql.url).database
    sql = postgresql.sql(PATIENTS)
    sql.prepare()
    assert sql.check().missing == ()
    sql.close()
    postgresql.run(
        "DROP ROLE IF EXISTS narrow",
        "CREATE ROLE narrow LOGIN",
        f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC",
        "GRANT SELECT, INSERT, UPDATE ON patients TO narrow",
    )
    url = sa.make_url(postgresql.url).set(username="narrow").render_as_string()
    narrow = Place("postgresql", url).sql(PATIENTS)

    assert narrow.check().missing == ("TEMPORARY on the database",)
    with pytest.raises(Unauthorized) as unauthorized:
        send(narrow, items(1))
    assert unauthorized.value.code == "forbidden"
    narrow.close()
