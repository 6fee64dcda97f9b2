"""Databases that refuse, lock, vanish: what is said of each item, and that nobody's values are."""

import threading
import traceback
from collections.abc import Callable, Mapping

import pytest
import sqlalchemy as sa
from pydantic import JsonValue, SecretStr

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.operation import Item
from connectors.sandbox.faults import Fault, Trouble
from connectors.sandbox.wire import Wire
from connectors.sql import Sql, SqlCredentials
from connectors.sql.failures import MSSQL, MYSQL, POSTGRESQL, SQLITE
from connectors.tabular import Column, Table
from tests.connectors.sql.servers import Place, free_port
from tests.connectors.sql.test_schema import KEY

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "email": Column(type="str", max_length=200),
        "visits": Column(type="int"),
    },
)
CANARY = "canary-ana@example.com"


def send(sql: Sql, *rows: tuple[str, Mapping[str, JsonValue]]) -> list[str]:
    items = [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]
    outcomes = {outcome.key: outcome for outcome in sql.writes()["upsert_patients"].send(items)}
    assert set(outcomes) == {item.key for item in items}
    return [f"{outcomes[item.key].state} {outcomes[item.key].code}".strip() for item in items]


def strict(place: Place) -> Sql:
    place.run(
        f"CREATE TABLE patients (patient_id {KEY[place.kind]} PRIMARY KEY, email VARCHAR(200) NOT NULL,"
        " visits BIGINT, CHECK (visits < 100))"
    )
    return place.sql(PATIENTS, lock=1)


def nothing_leaks(error: BaseException) -> None:
    assert CANARY not in "".join(traceback.format_exception(error))
    assert error.__cause__ is None and error.__context__ is None


@pytest.mark.parametrize("bad", [1, 3, 20, 41])
def test_a_refused_row_does_not_hold_up_the_others(place: Place, bad: int) -> None:
    sql = strict(place)
    rows: list[tuple[str, dict[str, JsonValue]]] = [
        (str(at), {"email": CANARY, "visits": 500 if at % 41 < bad else at}) for at in range(41)
    ]

    expected = ["rejected check" if at % 41 < bad else "done" for at in range(41)]
    assert send(sql, *rows) == expected
    assert place.rows("SELECT count(*) FROM patients") == [(41 - bad,)]
    sql.close()


def test_each_refusal_has_its_code(place: Place) -> None:
    sql = strict(place)

    assert send(
        sql,
        ("1", {"email": "a", "visits": 1}),
        ("2", {"email": None}),
        ("3", {"visits": 3}),
        ("4", {"email": "a", "visits": 100}),
        ("5", {"email": "a" * 201}),
        ("6", {"email": "nul\0"}),
        ("7", {"email": "\ud800"}),
        ("8", {"email": "a", "visits": 2**63}),
        ("9", {"email": "a", "visits": "3"}),
        ("10", {"email": "a", "unknown": 1}),
    ) == [
        "done", "rejected not_null", "rejected not_null", "rejected check", "rejected too_long",
        "rejected nul_character", "rejected lone_surrogate", "rejected out_of_range",
        "rejected invalid_value", "rejected unknown_argument",
    ]  # fmt: skip
    sql.close()


def test_a_refused_later_version_leaves_the_earlier_one(place: Place) -> None:
    sql = strict(place)

    states = send(sql, ("1", {"email": "a", "visits": 1}), ("1", {"email": "b", "visits": 100}))
    assert states == ["done", "rejected check"]
    assert place.rows("SELECT email, visits FROM patients") == [("a", 1)]
    sql.close()


@pytest.mark.parametrize("trouble", ["reset", "reset_applied"])
@pytest.mark.parametrize("word", ["COMMIT", "INSERT"])
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_cut_connection_is_unknown_and_sending_again_converges(
    request: pytest.FixtureRequest, kind: str, word: str, trouble: Trouble
) -> None:
    place: Place = request.getfixturevalue(kind)
    rows: list[tuple[str, dict[str, JsonValue]]] = [(str(at), {"email": CANARY}) for at in range(5)]
    with Wire(place.behind) as wire:
        sql = place.through(wire).sql(PATIENTS)
        sql.prepare()
        ends = "\0" if kind == "postgresql" else ""  # so that ON COMMIT DROP is none
        wire.faults(Fault(trouble=trouble, path=word + ends if word == "COMMIT" else word))
        with pytest.raises(Unknown) as unknown:
            send(sql, *rows)
        nothing_leaks(unknown.value)

        assert unknown.value.code == "connection_lost"
        assert wire.troubles == 1
        if word == "COMMIT":
            assert place.rows("SELECT count(*) FROM patients") == [(5 if trouble == "reset_applied" else 0,)]
        assert send(sql, *rows) == ["done"] * 5
        assert place.rows("SELECT count(*) FROM patients") == [(5,)]
        sql.close()


def test_a_terminated_backend_is_unknown_then_well_again(postgresql: Place) -> None:
    sql = postgresql.sql(PATIENTS)
    sql.prepare()
    postgresql.run(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$",
        "CREATE TRIGGER die BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION die()",
    )
    with pytest.raises(Unknown) as unknown:
        send(sql, ("1", {"email": CANARY}))
    postgresql.run("DROP TRIGGER die ON patients")

    nothing_leaks(unknown.value)
    assert send(sql, ("1", {"email": CANARY})) == ["done"]
    sql.close()


def test_connections_that_died_while_idle_are_replaced(postgresql: Place) -> None:
    sql = postgresql.sql(PATIENTS)
    send(sql, ("1", {"email": "a"}))
    postgresql.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )

    assert send(sql, ("1", {"email": "b"})) == ["done"]
    sql.close()


def test_a_locked_row_is_transient(place: Place) -> None:
    sql = strict(place)
    send(sql, ("1", {"email": "a"}))
    engine = place.engine()
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE patients SET visits = 7")
        with pytest.raises(Transient) as transient:
            send(sql, ("1", {"email": CANARY}))
        connection.rollback()
    engine.dispose()

    assert transient.value.code == "locked"
    nothing_leaks(transient.value)
    assert send(sql, ("1", {"email": CANARY})) == ["done"]
    sql.close()


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])  # SQLite locks the whole file: no part comes before
def test_what_came_before_a_failure_is_told_item_by_item(request: pytest.FixtureRequest, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)
    sql = strict(place)
    send(sql, ("8", {"email": "a"}))
    engine = place.engine()
    rows: list[tuple[str, dict[str, JsonValue]]] = [(str(at), {"email": "b"}) for at in range(9)]
    rows[0][1]["email"] = None
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE patients SET visits = 7 WHERE patient_id = '8'")
        states = send(sql, *rows)
        connection.rollback()
    engine.dispose()

    assert states == ["rejected not_null"] + ["done"] * 3 + ["transient locked"] * 5
    sql.close()


def test_a_server_that_is_not_there_is_transient() -> None:
    for scheme in ("postgresql", "mysql", "mssql"):
        sql = Sql(
            SqlCredentials(url=SecretStr(f"{scheme}://u:{CANARY}@127.0.0.1:{free_port()}/x")), [PATIENTS]
        )
        for act in (sql.check, lambda: send(sql, ("1", {"email": CANARY}))):  # noqa: B023  # called at once
            with pytest.raises(Transient) as transient:
                act()
            assert transient.value.code == "unreachable"
            nothing_leaks(transient.value)
        sql.close()


def test_a_wrong_user_or_right_is_the_tenants_matter(postgresql: Place) -> None:
    postgresql.run("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    url = sa.make_url(postgresql.url)
    for changed in (url.set(username="nobody"), url.set(database="nothing"), url.set(username="reader")):
        sql = Place("postgresql", changed.render_as_string()).sql(PATIENTS)
        with pytest.raises(Unauthorized):
            send(sql, ("1", {"email": CANARY}))
        sql.close()


@pytest.mark.parametrize(
    "url",
    [
        f"oracle://u:{CANARY}@host/x",
        f"no url {CANARY}",
        f"postgresql://u:{CANARY}@db.example.com/x?sslmode=disable",
        f"postgresql://u:{CANARY}@db.example.com/x?sslmode=prefer",
        f"postgresql://u:{CANARY}@db.example.com/x?passfile=/etc/passwd",
        f"postgresql://u:{CANARY}@db.example.com/x?host=other.example.com",
        f"mysql://u:{CANARY}@db.example.com/x?local_infile=1",
        f"mysql://u:{CANARY}@db.example.com/x?read_default_file=/etc/my.cnf",
    ],
)
def test_an_unsafe_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Rejected) as rejected:
        Sql(SqlCredentials(url=SecretStr(url)), [PATIENTS])
    nothing_leaks(rejected.value)


def test_every_code_is_one_closed_word() -> None:
    failures = [each for table in (POSTGRESQL, MYSQL, MSSQL, SQLITE) for each in table.values()]

    assert all(each.code.replace("_", "").isalpha() and each.code.islower() for each in failures)
    assert {"row", "table", "transient", "lost", "unauthorized"} == {each.kind for each in failures}


def test_several_threads_write_at_once(place: Place) -> None:
    sql = place.sql(PATIENTS)
    failed: list[ConnectorError | str] = []

    def write(thread: int) -> None:
        for at in range(10):
            failed.extend(each for each in send(sql, (f"{thread}-{at}", {"email": "a"})) if each != "done")

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(6)]
    _all(threads, threading.Thread.start)
    _all(threads, threading.Thread.join)
    assert failed == []
    assert place.rows("SELECT count(*) FROM patients") == [(60,)]
    sql.close()


def _all(threads: list[threading.Thread], act: Callable[[threading.Thread], None]) -> None:
    for thread in threads:
        act(thread)
