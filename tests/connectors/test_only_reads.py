"""What a connector that only reads can send at all, and what its system refuses it besides."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from connectors.bigquery import BigQuery, BigQueryCredentials
from connectors.bigquery.transport import Transport
from connectors.bucket import Bucket
from connectors.errors import Denied, Unauthorized
from connectors.mongodb.client import Client
from connectors.mongodb.place import read_url
from connectors.operation import Item
from connectors.redshift import Redshift, RedshiftCredentials
from connectors.redshift.failures import StatementFailed
from connectors.redshift.session import Session
from connectors.s3 import S3, S3Credentials
from connectors.sandbox.bigquery import BigQueryServer
from connectors.sandbox.mongodb import StandIn
from connectors.sandbox.probe import Probe, ProbeCredentials, ProbeServer
from connectors.sandbox.proxy import Proxy
from tests.connectors.bigquery.place import Place as Dataset
from tests.connectors.bucket import moto
from tests.connectors.every import TABLE, person
from tests.connectors.mongodb.reaching import mongo, url_of
from tests.connectors.redshift import places
from tests.connectors.sql.conftest import mariadb_server, mysql, place, postgresql, postgresql_server, sqlite
from tests.connectors.sql.servers import Place

__all__ = ["mariadb_server", "mysql", "place", "postgresql", "postgresql_server", "sqlite"]
ANA = [Item("k", *person(1, 1))]


def read(connector: Any) -> tuple[object, object]:
    """All that a stage asks of a target: who it is, what it holds and what it would refuse."""
    connector.check()
    write = connector.writes()[TABLE.write]
    return write.present(ANA)["k"], [*write.refuses(ANA), *(write.rules(ANA) if write.rules else ())]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO people (patient_id) VALUES ('p9')",
        "UPDATE people SET visits = 9",
        "DELETE FROM people",
        "CREATE TABLE others (id INTEGER)",
        "ALTER TABLE people ADD COLUMN more INTEGER",
        "DROP TABLE people",
    ],
)
def test_a_database_refuses_the_session_whatever_changes_it(place: Place, statement: str) -> None:
    with closing(place.sql(TABLE)) as live:
        live.writes()[TABLE.write].send(ANA)
    before = place.rows("SELECT * FROM people")

    with closing(place.sql(TABLE, read_only=True)) as reading:
        assert read(reading) == (dict(ANA[0].arguments), [])
        with reading._database._engine.connect() as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(sa.text(statement))

    said = str(refused.value.orig).lower()
    assert "read only" in said or "read-only" in said or "readonly" in said
    assert place.rows("SELECT * FROM people") == before


@pytest.fixture
def warehouse(postgresql_server: str) -> Iterator[places.Warehouse]:
    with places.opened(postgresql_server) as made:
        yield made


def test_a_warehouse_is_asked_in_transactions_that_only_read(warehouse: places.Warehouse) -> None:
    made = RedshiftCredentials.model_validate(warehouse.values())
    with closing(Redshift(made, [TABLE])) as live:
        live.writes()[TABLE.write].send(ANA)
    warehouse.stand_in.statements.clear()
    loads = moto.keys(warehouse.bucket)

    with closing(Redshift(made, [TABLE], read_only=True)) as reading:
        assert read(reading) == (dict(ANA[0].arguments), [])
        with pytest.raises(Denied):
            reading.prepare()

    asked = warehouse.stand_in.statements
    assert {one.split()[0] for one in asked} == {"SET", "BEGIN", "SELECT", "ROLLBACK"}
    assert "BEGIN" not in asked
    assert moto.keys(warehouse.bucket) == loads


def test_a_warehouse_refuses_such_a_transaction_what_changes_it(warehouse: places.Warehouse) -> None:
    session = Session(RedshiftCredentials.model_validate(warehouse.values()), read_only=True)
    with pytest.raises(Denied):
        session.run("CREATE TABLE others (id BIGINT)")
    session._sent("BEGIN READ ONLY", (), rows=False)
    with pytest.raises(StatementFailed) as refused:
        session._sent("CREATE TABLE others (id BIGINT)", (), rows=False)
    session.close()

    assert refused.value.failure.code == "read_only"


def test_of_a_bucket_nothing_leaves_but_what_reads() -> None:
    bucket = moto.new_bucket()
    with Proxy(moto.server()) as proxy:
        values = {**moto.KEYS, "bucket": bucket, "url": proxy.url, "patience": moto.PATIENT}
        made = S3Credentials.model_validate(values)
        with closing(S3(made, [TABLE])) as live:
            live.writes()[TABLE.write].send(ANA)
        proxy.forget()
        with closing(S3(made, [TABLE], read_only=True)) as reading:
            assert read(reading) == (dict(ANA[0].arguments), [])
        with closing(Bucket("s3", made, read_only=True)) as only:
            with pytest.raises(Denied):
                only.remove("people/_manifests/000000000001.json")
            sdk: Any = only._reached()._requests
            with pytest.raises(Denied):  # whichever call of the SDK's it is
                sdk.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "x"}]})

        assert {one.method for one in proxy.seen} == {"GET", "HEAD"}


def test_of_bigquery_nothing_leaves_but_what_reads_and_its_token_allows_no_more() -> None:
    with BigQueryServer() as server, Proxy(server.url) as proxy:
        made = BigQueryCredentials.model_validate(Dataset(server, proxy.url).values())
        with closing(BigQuery(made, [TABLE])) as live:
            live.writes()[TABLE.write].send(ANA)
        proxy.forget()
        with closing(BigQuery(made, [TABLE], read_only=True)) as reading:
            assert read(reading) == (dict(ANA[0].arguments), [])
        posted = {one.path.partition("?")[0] for one in proxy.seen if one.method != "GET"}
        assert posted == {"/token", "/bigquery/v2/projects/practice-1/queries"}

        tables = f"{proxy.url}/bigquery/v2/projects/practice-1/datasets/clinic/tables"
        queries = f"{proxy.url}/bigquery/v2/projects/practice-1/queries"
        with closing(Transport(made, read_only=True)) as only:
            for method, url, body in (
                ("POST", tables, {}),
                ("DELETE", f"{tables}/people", {}),
                ("POST", queries, {"query": "DELETE FROM `people` WHERE true"}),
                ("POST", queries, {"query": "SELECT 1; DROP TABLE `people`"}),
            ):
                with pytest.raises(Denied):
                    only.request(method, url, json.dumps(body))
            only._read_only = False  # what if it were not refused here?
            with pytest.raises(Unauthorized):
                only.request("DELETE", f"{tables}/people")


def test_to_a_mongodb_no_command_goes_but_what_reads() -> None:
    with StandIn(users={"ferry": "an invented word"}) as server:
        with closing(mongo(server, TABLE)) as live:
            live.writes()[TABLE.write].send(ANA)
        server.commands.clear()
        server.server.state.actions = ("find", "listCollections", "listIndexes")

        with closing(mongo(server, TABLE, read_only=True)) as reading:
            assert read(reading)[1] == []
        client = Client(read_url(SecretStr(url_of(server))), 5.0, read_only=True)
        for command in (
            {"drop": "people"},
            {"aggregate": "people", "pipeline": [{"$match": {}}, {"$out": "others"}]},
            {"findAndModify": "people", "query": {}, "remove": True},
        ):
            with pytest.raises(Denied):
                client.read(command)
        client.close()

        reads = {"connectionStatus", "find", "listCollections", "listIndexes"}
        spoken = {"hello", "ismaster", "isMaster", "saslStart", "saslContinue", "endSessions", "ping"}
        assert reads <= server.commands.keys() <= reads | spoken


def test_of_the_probe_nothing_leaves_but_what_reads() -> None:
    with ProbeServer() as server, Proxy(server.url) as proxy:
        with closing(Probe(ProbeCredentials(url=proxy.url), read_only=True)) as reading:
            reading.check()
            for write in reading.writes().values():
                assert write.refuses is not None
                write.refuses(ANA)
                for ask in (write.look, write.present):
                    if ask is not None:
                        ask(ANA)

        assert {one.path for one in proxy.seen} == {
            "/account", "/find/keyed_charge", "/find/create_order", "/read/upsert_contact"
        }  # fmt: skip
