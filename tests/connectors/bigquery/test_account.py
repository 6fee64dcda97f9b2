"""The credentials, the account that is reached, and what may not be said of patients."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.bigquery import NOBODY, BigQuery, BigQueryCredentials, BigQueryOptions
from connectors.errors import Unauthorized
from connectors.tabular import Column
from tests.connectors.bigquery.place import Place, held, send, table

NO = BigQueryCredentials.model_validate(NOBODY)
GOOGLE = "https://oauth2.googleapis.com/token"


def key(**changed: object) -> dict[str, Any]:
    whole = {"type": "service_account", "client_email": "a@b", "private_key": "k", "token_uri": GOOGLE}
    account = json.dumps({**whole, **changed})
    return {"project": "practice-1", "dataset": "clinic", "service_account": account}


def test_the_account_is_the_dataset(place: Place) -> None:
    connector = place.connect(table(email=Column(type="str")))
    account = connector.check()

    assert account.identity == "practice-1/clinic"
    assert not account.sandbox
    assert account.missing == ()
    assert place.state.tables == {}  # looking makes nothing
    connector.close()


@pytest.mark.parametrize(
    "permission",
    [
        "bigquery.jobs.create",
        "bigquery.tables.updateData",
        "bigquery.tables.update",
        "bigquery.tables.create",
    ],
)
def test_what_is_not_allowed_is_named(place: Place, permission: str) -> None:
    connector = place.connect(table(email=Column(type="str")))
    connector.prepare()
    place.state.denied.add(permission)

    assert connector.check().missing == (permission,)
    connector.close()


def test_a_dataset_that_is_not_there_is_the_tenants_matter(place: Place) -> None:
    place.state.dataset = "another"
    connector = place.connect(table())
    place.state.dataset = "clinic"

    with pytest.raises(Unauthorized) as unauthorized:
        connector.check()
    assert unauthorized.value.code == "no_dataset"
    connector.close()


def test_a_key_that_is_none_is_refused_where_it_is_read() -> None:
    wrong = [
        key(type="authorized_user"), key(token_uri="https://evil.example.com/token"),
        key(token_uri="http://127.0.0.1:1/token"), key(universe_domain="evil.example.com"),
        {**key(), "service_account": "0"}, {**key(), "project": "../x"}, {**key(), "dataset": "a.b"},
        {**key(), "url": "http://127.0.0.1:1", "service_account": key(token_uri="https://x.example.com")["service_account"]},
    ]  # fmt: skip
    BigQueryCredentials.model_validate(key())

    for values in wrong:
        with pytest.raises(ValidationError) as error:
            BigQueryCredentials.model_validate(values)
        assert "a@b" not in str(error.value)


def test_a_private_key_that_cannot_be_read_is_the_tenants_matter() -> None:
    connector = BigQuery(BigQueryCredentials.model_validate(key(private_key="secret-key")), [])

    with pytest.raises(Unauthorized) as unauthorized:
        connector.check()
    assert unauthorized.value.code == "bad_key"
    assert "secret-key" not in str(unauthorized.value)
    assert unauthorized.value.__context__ is None


@pytest.mark.parametrize(
    "layout",
    [
        {"partition_by": "email"}, {"partition_by": "unknown"}, {"cluster_by": ["notes"]},
        {"partition_by": "born_on", "partition_unit": "hour"}, {"records": {"email": {"id": "str"}}},
        {"records": {"notes": {"class": "str"}}}, {"records": {"notes": {"a": "str", "A": "int"}}},
        {"cluster_by": ["a", "b", "c", "d", "e"]}, {"records": {"notes": {}}}, {"unknown": 1},
    ],
)  # fmt: skip
def test_a_layout_that_cannot_be_made_is_refused(layout: dict[str, object]) -> None:
    declared = table(email=Column(type="str"), born_on=Column(type="date"), notes=Column(type="json"))

    with pytest.raises(ValueError):
        BigQuery(NO, [declared], BigQueryOptions.model_validate({"tables": {"patients": layout}}))


def test_a_layout_of_a_table_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="no declared table"):
        BigQuery(NO, [table()], BigQueryOptions.model_validate({"tables": {"others": {}}}))


def test_values_are_in_parameters_and_rows_alone(place: Place) -> None:
    """Google keeps the text of statements, ids and labels for months, for others to see."""
    connector = place.connect(table(email=Column(type="str")))
    send(connector, ("patient-zephyrine", {"email": "zephyrine@example.com"}))
    held(connector, "patient-zephyrine", "email")

    carrying = 0
    for seen in place.server.recorded:
        body = seen.body or {}
        query = body.get("configuration", {}).get("query", body)
        told = json.dumps({**body, "configuration": None, "queryParameters": None}) + str(query.get("query"))
        assert "zephyrine" not in seen.path + str(seen.query) + told
        carrying += "zephyrine" in json.dumps(query.get("queryParameters", ""))
    assert carrying == 1  # the lookup
    for id_, job in place.state.jobs.items():
        assert "zephyrine" not in id_ + json.dumps(job["configuration"].get("labels", {}))
    connector.close()
