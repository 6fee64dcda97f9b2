"""The stand-in does what Airtable does: checked with pyairtable alone, and beside pyairtable's own mock."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyairtable import Api
from pyairtable.formulas import EQ, OR, Field
from pyairtable.testing import MockAirtable
from requests import HTTPError

from connectors.sandbox.airtable import TOKEN, AirtableStandIn, Rules
from tests.connectors.nasty import KEYS

TEXT = {"type": "singleLineText"}


@pytest.fixture
def stand_in() -> Iterator[AirtableStandIn]:
    with AirtableStandIn() as running:
        yield running


def api(stand_in: AirtableStandIn) -> Api:
    return Api(TOKEN, endpoint_url=stand_in.url, retry_strategy=None, timeout=(5, 5))


def refused(call: object, *arguments: object, **named: object) -> tuple[int, str]:
    assert callable(call)
    with pytest.raises(HTTPError) as error:
        call(*arguments, **named)
    answer = error.value.response.json()
    word = answer["errors"][0]["error"] if "errors" in answer else answer["error"]
    return error.value.response.status_code, word if isinstance(word, str) else word["type"]


def test_tables_fields_and_records(stand_in: AirtableStandIn) -> None:
    base = api(stand_in).base(stand_in.base.id)
    table = base.create_table("People", [{"name": "Key", **TEXT}])
    table.create_field("Count", "number", options={"precision": 0})
    answer = table.batch_upsert([{"fields": {"Key": f"k{at}", "Count": at}} for at in range(12)], ["Key"])

    assert len(answer["createdRecords"]) == 12 and answer["updatedRecords"] == []
    assert [field.type for field in base.schema(force=True).table("People").fields] == [
        "singleLineText",
        "number",
    ]
    for field, other in (
        ("Key", "Count"),
        (table.schema().field("Key").id, table.schema().field("Count").id),
    ):
        formula = OR(EQ(Field(field), "k1"), EQ(Field(other), 3))
        assert [one["fields"]["Count"] for one in table.all(formula=formula)] == [1, 3]
    assert [one["fields"] for one in table.all(formula=EQ(Field("Key"), "k1"), fields=["Count"])] == [
        {"Count": 1}
    ]


def test_a_listing_has_pages_and_one_that_lost_its_place_is_told(stand_in: AirtableStandIn) -> None:
    table = api(stand_in).base(stand_in.base.id).create_table("People", [{"name": "Key", **TEXT}])
    ids = [stand_in.base.add_record("People", {"Key": str(at)}) for at in range(250)]
    pages = table.iterate()

    assert len(next(pages)) == 100
    del stand_in.base.table("People").records[ids[100]]
    assert refused(next, pages) == (422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
    assert [len(page) for page in table.iterate()] == [100, 100, 49]


def test_what_airtable_refuses(stand_in: AirtableStandIn) -> None:
    base = stand_in.base
    base.add_table(
        "People",
        [{"name": "Key", **TEXT}, {"name": "Sum", "type": "formula"}, {"name": "On", "type": "date"}],
    )
    base.add_table(
        "Status",
        [{"name": "Key", **TEXT}, {"name": "Is", "type": "singleSelect", "options": {"choices": []}}],
    )
    people, status = (api(stand_in).table(base.id, name) for name in ("People", "Status"))

    def one(**fields: object) -> list[dict[str, object]]:
        return [{"fields": fields}]

    upsert, ten = people.batch_upsert, "INVALID_REQUEST_UNKNOWN"
    assert refused(upsert, one(Key="1", Sum=5), ["Key"]) == (422, "INVALID_VALUE_FOR_COLUMN")
    assert refused(upsert, one(Key=1), ["Key"]) == (422, "INVALID_VALUE_FOR_COLUMN")
    assert refused(upsert, one(Key="1", On="2026-13-01"), ["Key"]) == (422, "INVALID_VALUE_FOR_COLUMN")
    assert refused(upsert, one(Key="1", Gone="x"), ["Key"]) == (422, "UNKNOWN_FIELD_NAME")
    assert refused(upsert, one(Key="", On="2026-01-01"), ["Key"]) == (422, ten)
    assert refused(upsert, one(Sum="x"), ["Sum"]) == (422, ten)
    assert refused(status.batch_upsert, one(Key="1", Is="x"), ["Key"]) == (
        422,
        "INVALID_MULTIPLE_CHOICE_OPTIONS",
    )
    assert (
        status.batch_upsert(one(Key="1", Is="x"), ["Key"], typecast=True)["records"][0]["fields"]["Is"] == "x"
    )
    assert refused(api(stand_in).table(base.id, "Gone").all)[0] == 403
    assert base.rows("People") == []


def test_several_matches_fail_the_whole_request(stand_in: AirtableStandIn) -> None:
    base = stand_in.base
    base.add_table("People", [{"name": "Key", **TEXT}])
    for _ in range(2):
        base.add_record("People", {"Key": "1"})

    upsert = api(stand_in).table(base.id, "People").batch_upsert
    assert refused(upsert, [{"fields": {"Key": "2"}}, {"fields": {"Key": "1"}}], ["Key"])[0] == 422
    assert len(base.rows("People")) == 2


def test_what_is_empty_is_not_kept(stand_in: AirtableStandIn) -> None:
    base = stand_in.base
    base.add_table(
        "People", [{"name": "Key", **TEXT}, {"name": "Note", **TEXT}, {"name": "On", "type": "checkbox"}]
    )
    table = api(stand_in).table(base.id, "People")
    table.batch_upsert([{"fields": {"Key": " 1 ", "Note": "", "On": False}}], ["Key"])

    assert [one["fields"] for one in table.all()] == [{"Key": "1"}]


def test_too_many_requests_are_refused_for_a_while() -> None:
    with AirtableStandIn(Rules(rate=3, blocked=60)) as stand_in:
        for _ in range(3):
            api(stand_in).whoami()

        assert refused(api(stand_in).whoami) == (429, "RATE_LIMIT_REACHED")
        assert stand_in.gauge.refused == 1


def test_another_token_and_another_base_are_refused(stand_in: AirtableStandIn) -> None:
    assert refused(Api("else", endpoint_url=stand_in.url, retry_strategy=None).whoami)[0] == 401
    assert refused(api(stand_in).base("app11111111111111").schema)[0] == 403


@pytest.mark.parametrize("key", [*KEYS, "'", "\\'", "') OR (1=1", "}", "{x}", "\\\\"])
def test_no_key_leaves_its_quotes(stand_in: AirtableStandIn, key: str) -> None:
    table = stand_in.base.add_table("People", [{"name": "Key", **TEXT}])
    stand_in.base.add_record("People", {"Key": "other"})
    stand_in.base.add_record("People", {"Key": key})
    found = api(stand_in).table(stand_in.base.id, table.id).all(formula=EQ(Field(table.fields[0]["id"]), key))

    assert [one["fields"]["Key"] for one in found] == [key]


@settings(max_examples=25, deadline=None, database=None, derandomize=True)
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.integers(0, 5), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_upserts_come_out_as_in_pyairtables_own_mock(batches: list[dict[str, int]]) -> None:
    requests = [
        [{"fields": {"Key": key, "Count": count}} for key, count in batch.items()] for batch in batches
    ]
    with AirtableStandIn() as stand_in:
        stand_in.base.add_table("People", [{"name": "Key", **TEXT}, {"name": "Count", "type": "number"}])
        ours = api(stand_in).table(stand_in.base.id, "People")
        for request in requests:
            ours.batch_upsert(request, ["Key"])
        found = [one["fields"] for one in ours.all()]
    with MockAirtable():
        theirs = Api("token").table("app00000000000000", "People")
        for request in requests:
            theirs.batch_upsert(request, ["Key"])

        assert found == [one["fields"] for one in theirs.all()]


def test_it_runs_as_a_process_that_ends_with_its_input() -> None:
    command = [sys.executable, "-m", "connectors.sandbox.airtable"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        port = process.stdout.readline().strip()
        assert Api(TOKEN, endpoint_url=f"http://127.0.0.1:{port}", retry_strategy=None).whoami()["id"]
        process.stdin.close()

        assert process.wait(20) == 0
