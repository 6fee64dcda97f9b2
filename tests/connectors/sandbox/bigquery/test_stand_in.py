"""The stand-in keeps Google's rules, seen through Google's own library."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.oauth2.service_account import Credentials

from connectors.sandbox.bigquery import BigQueryServer
from connectors.sandbox.bigquery.state import LOADS

AT = "practice-1.clinic.patients"
PLAIN: dict[str, Any] = {"retry": None, "timeout": 5.0}
SCHEMA = [
    bigquery.SchemaField("id", "STRING", mode="REQUIRED"),
    bigquery.SchemaField("name", "STRING", max_length=5),
    bigquery.SchemaField("paid", "NUMERIC"),
    bigquery.SchemaField("tags", "STRING", mode="REPEATED"),
]


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with BigQueryServer() as running:
        yield running


@pytest.fixture
def client(server: BigQueryServer) -> Iterator[bigquery.Client]:
    signer = Credentials.from_service_account_info(
        json.loads(server.service_account()), scopes=["https://www.googleapis.com/auth/bigquery"]
    )
    with bigquery.Client(
        project="practice-1", credentials=signer, location="EU", client_options={"api_endpoint": server.url}
    ) as made:
        yield made


def load(client: bigquery.Client, *rows: dict[str, Any], job: str = "load-1") -> Any:
    content = b"\n".join(json.dumps(row).encode() for row in rows)
    config = bigquery.LoadJobConfig(
        source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_TRUNCATE", schema=SCHEMA
    )
    sent = client.load_table_from_file(
        io.BytesIO(content), AT, size=len(content), num_retries=0, job_id=job, job_config=config, timeout=5.0
    )
    while sent.state != "DONE":
        sent = client.get_job(job, **PLAIN)
    return sent


def change(client: bigquery.Client, text: str, job: str) -> Any:
    sent = client.query(text, job_id=job, retry=None, job_retry=None, timeout=5.0)
    while sent.state != "DONE":
        sent = client.get_job(job, **PLAIN)
    return sent


def rows(client: bigquery.Client) -> list[tuple[Any, ...]]:
    found = client.query_and_wait(f"SELECT id, name, paid, tags FROM `{AT}`", retry=None, job_retry=None)
    return sorted(row.values() for row in found)


def test_a_job_id_is_run_once(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)
    load(client, {"id": "1", "name": "Ana", "paid": "1.50", "tags": ["a"]})

    with pytest.raises(exceptions.Conflict):
        load(client, {"id": "2"})
    assert [row[0] for row in rows(client)] == ["1"]


def test_a_job_that_failed_keeps_its_id(client: bigquery.Client) -> None:
    client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)

    assert load(client, {"id": "1", "name": "too long"}).error_result["reason"] == "invalid"
    with pytest.raises(exceptions.Conflict):
        load(client, {"id": "1"})
    assert rows(client) == []


@pytest.mark.parametrize(
    "row",
    [{"name": "x"}, {"id": 1}, {"id": "1", "more": 1}, {"id": "1", "paid": "x"}, {"id": "1", "tags": [None]},
     {"id": "1", "paid": "1" * 30}],
)  # fmt: skip
def test_one_bad_row_refuses_the_whole_load(client: bigquery.Client, row: dict[str, Any]) -> None:
    client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)

    assert load(client, {"id": "0"}, row).error_result["reason"] == "invalid"
    assert rows(client) == []


def test_a_table_takes_so_many_loads_a_day(server: BigQueryServer, client: bigquery.Client) -> None:
    client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)
    server.state.loads["patients"] = LOADS - 1
    load(client, {"id": "1"})

    with pytest.raises(exceptions.Forbidden, match="Quota exceeded"):
        load(client, {"id": "1"}, job="load-2")


def test_a_tables_description_is_changed_so_often(client: bigquery.Client) -> None:
    made = client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)
    for number in range(5):
        made.description = str(number)
        made = client.update_table(made, ["description"], **PLAIN)

    with pytest.raises(exceptions.Forbidden, match="too many table update"):
        client.update_table(made, ["description"], **PLAIN)


def test_a_change_over_anothers_is_refused(client: bigquery.Client) -> None:
    first = client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)
    second = client.get_table(AT, **PLAIN)
    first.schema = [*SCHEMA, bigquery.SchemaField("more", "INT64")]
    client.update_table(first, ["schema"], **PLAIN)

    second.schema = [*SCHEMA, bigquery.SchemaField("other", "INT64")]
    with pytest.raises(exceptions.PreconditionFailed):
        client.update_table(second, ["schema"], **PLAIN)


@pytest.mark.parametrize(
    "gone",
    [
        SCHEMA[1:],
        [*SCHEMA[:1], bigquery.SchemaField("name", "INT64"), *SCHEMA[2:]],
        [*SCHEMA, bigquery.SchemaField("must", "STRING", mode="REQUIRED")],
    ],
)
def test_nothing_is_dropped_or_retyped(client: bigquery.Client, gone: list[bigquery.SchemaField]) -> None:
    made = client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)
    made.schema = gone

    with pytest.raises(exceptions.BadRequest):
        client.update_table(made, ["schema"], **PLAIN)


MERGE = (
    f"MERGE INTO `{AT}` AS T USING `practice-1.clinic.staged` AS S ON T.id = S.id "
    "WHEN MATCHED AND {guard} THEN UPDATE SET name = {name} "
    "WHEN NOT MATCHED THEN INSERT (id, name, tags) VALUES (S.id, S.name, S.tags)"
)


@pytest.fixture
def staged(server: BigQueryServer, client: bigquery.Client) -> BigQueryServer:
    """Two tables: patients has 1 and 2; staged has 2 and 3."""
    client.create_table(bigquery.Table(AT, SCHEMA), **PLAIN)
    client.create_table(
        bigquery.Table(
            "practice-1.clinic.staged", [*SCHEMA[:1], bigquery.SchemaField("name", "STRING"), *SCHEMA[2:]]
        ),
        **PLAIN,
    )
    load(client, {"id": "1", "name": "one"}, {"id": "2", "name": "two"})
    state = server.state
    state.load(state.tables["staged"], [("2", "TWO", None, "[]"), ("3", "three", None, '["x"]')], keep=False)
    return server


def test_a_merge_inserts_updates_and_counts(client: bigquery.Client, staged: BigQueryServer) -> None:
    done = change(client, MERGE.format(guard="T.id = S.id", name="S.name"), "merge-1")

    assert done.error_result is None
    assert (done.num_dml_affected_rows, done.dml_stats.inserted_row_count) == (2, 1)
    assert rows(client) == [("1", "one", None, []), ("2", "TWO", None, []), ("3", "three", None, ["x"])]


def test_a_guarded_row_is_left_alone(client: bigquery.Client, staged: BigQueryServer) -> None:
    done = change(client, MERGE.format(guard="T.name = 'other'", name="S.name"), "merge-1")

    assert done.num_dml_affected_rows == 1
    assert ("2", "two", None, []) in rows(client)


def test_two_source_rows_for_one_row_are_refused(client: bigquery.Client, staged: BigQueryServer) -> None:
    state = staged.state
    state.load(state.tables["staged"], [("2", "x", None, "[]"), ("2", "y", None, "[]")], keep=False)

    done = change(client, MERGE.format(guard="T.id = S.id", name="S.name"), "merge-1")
    assert "at most one source row" in done.error_result["message"]
    assert ("2", "two", None, []) in rows(client)


@pytest.mark.parametrize(
    ("name", "words"),
    [("S.unknown", "Unrecognized name"), ("S.paid", "cannot be assigned"), ("S.tags", "cannot be assigned"),
     ("@at", "not found"), ("S.name +", "Syntax error"), ("UPPER(S.name)", "does not know")],
)  # fmt: skip
def test_a_statement_is_checked(
    client: bigquery.Client, staged: BigQueryServer, name: str, words: str
) -> None:
    done = change(client, MERGE.format(guard="T.id = S.id", name=name), "merge-1")

    assert words in done.error_result["message"]
    assert done.error_result["reason"] == "invalidQuery"


def test_a_value_that_does_not_fit_changes_nothing(client: bigquery.Client, staged: BigQueryServer) -> None:
    state = staged.state
    state.load(
        state.tables["staged"], [("2", "short", None, "[]"), ("3", "too long", None, "[]")], keep=False
    )

    done = change(client, MERGE.format(guard="T.id = S.id", name="S.name"), "merge-1")
    assert "maximum length 5" in done.error_result["message"]
    assert rows(client) == [("1", "one", None, []), ("2", "two", None, [])]


def test_a_token_is_given_for_a_signature(server: BigQueryServer) -> None:
    assert (
        server.tokens.grant(b"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c")[0]
        == 400
    )
    assert not server.tokens.knows("Bearer ")
