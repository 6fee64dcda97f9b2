"""The stand-in keeps Google's rules: a connector that breaks one would be told."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import JsonValue

from connectors.sandbox.sheets import SheetsServer
from connectors.sandbox.sheets.acts import apply
from connectors.sandbox.sheets.office import ACCOUNT, Office
from connectors.sandbox.sheets.reads import masked, parse_mask, put
from connectors.sandbox.sheets.state import METADATA, Refusal, Row, Sheet, Spreadsheet, Tag

Act = dict[str, Any]


def book() -> Spreadsheet:
    rows = [Row({0: {"stringValue": "id"}}), Row({0: {"stringValue": "1"}}, [Tag(7, "f")]), Row()]
    return Spreadsheet("1", [Sheet(5, "patients", width=3, rows=rows)])


def tag(row: int, id_: int = 8, **more: str) -> Act:
    place = {"sheetId": 5, "dimension": "ROWS", "startIndex": row, "endIndex": row + 1}
    made = {
        "metadataId": id_,
        "metadataKey": "f",
        "visibility": "DOCUMENT",
        "location": {"dimensionRange": place},
    }
    return {"createDeveloperMetadata": {"developerMetadata": made | more}}


def insert(start: int, end: int, dimension: str = "ROWS", *, before: bool = False) -> Act:
    place = {"sheetId": 5, "dimension": dimension, "startIndex": start, "endIndex": end}
    return {"insertDimension": {"range": place, "inheritFromBefore": before}}


def update(row: int, *cells: dict[str, JsonValue]) -> Act:
    start = {"sheetId": 5, "rowIndex": row, "columnIndex": 0}
    rows = [{"values": [{"userEnteredValue": cell} for cell in cells]}]
    return {"updateCells": {"start": start, "rows": rows, "fields": "userEnteredValue"}}


@pytest.mark.parametrize(
    "act",
    [
        tag(2, 7),  # an id that is taken
        tag(2, 0),
        tag(3),  # beyond the last row
        tag(2, metadataValue="x" * METADATA),
        tag(2, visibility=""),
        insert(3, 4),
        insert(1, 1),
        insert(0, 1, before=True),
        insert(3, 4, "COLUMNS"),
        update(3, {"stringValue": "x"}),
        update(2, *[{"stringValue": "x"}] * 4),
        update(2, {"stringValue": "x" * 50_001}),
        {"addSheet": {"properties": {"title": "Patients"}}},
        {"addSheet": {"properties": {"sheetId": 5, "title": "other"}}},
        {
            "addSheet": {
                "properties": {"title": "big", "gridProperties": {"rowCount": 3_000, "columnCount": 3_400}}
            }
        },
        {"appendDimension": {"sheetId": 6, "dimension": "ROWS", "length": 1}},
        {"sortRange": {}},
        {},
    ],
)
def test_an_act_that_google_refuses(act: Act) -> None:
    with pytest.raises(Refusal) as refused:
        apply(book(), [act])

    assert refused.value.status == 400


def test_all_acts_of_a_batch_are_applied_or_none() -> None:
    with SheetsServer() as server:
        server.book.sheets[:] = book().sheets
        authorization = _token(server)
        fine: Act = {"appendDimension": {"sheetId": 5, "dimension": "ROWS", "length": 9}}
        body = json.dumps({"requests": [fine, {"x": {}}]}).encode()
        status, _ = server.answer(
            "POST", f"/v4/spreadsheets/{server.book.id}:batchUpdate", authorization, body
        )

        assert status == 400
        assert server.book.sheets[0].height == 3


def test_metadata_stays_on_its_row_and_goes_with_it() -> None:
    sheets = book()
    apply(sheets, [insert(1, 3), tag(1)])
    assert {id_: sheets.sheets[0].rows.index(row) for id_, (_, row) in sheets.tagged().items()} == {
        8: 1,
        7: 3,
    }

    server = SheetsServer()
    server.book.sheets[:] = sheets.sheets
    server.people.delete_row("patients", 3)
    server.close()
    assert set(server.book.tagged()) == {8}


@pytest.mark.parametrize("follow", [True, False])
def test_sorting_takes_metadata_along_or_not(follow: bool) -> None:
    with SheetsServer() as server:
        server.people.add_sheet("x", [["id"], ["'a"], ["'b"]])
        server.book.titled("x").rows[1].tags.append(Tag(7, "f"))
        server.people.tags_follow = follow
        server.people.sort("x", "id", down=True)

        assert server.people.look("x") == [["id"], ["b"], ["a"]]
        assert bool(server.book.titled("x").rows[2].tags) is follow


def values(option: str, *cells: JsonValue, tag_id: int = 7) -> dict[str, Any]:
    where = {"developerMetadataLookup": {"metadataId": tag_id}}
    data = [{"dataFilter": where, "majorDimension": "ROWS", "values": [list(cells)]}]
    return {"valueInputOption": option, "data": data, "includeValuesInResponse": True}


def shown(sheets: Spreadsheet, body: dict[str, Any], *, strict: bool = False) -> JsonValue:
    answer: Any = put(sheets, body, strict=strict, mangled=("", ""))
    return [each["updatedData"]["values"][0] for each in answer["responses"]]


def test_raw_values_stay_what_they_are_and_typed_ones_do_not() -> None:
    sheets = book()
    assert shown(sheets, values("RAW", None, "=1+1", "007")) == [["1", "=1+1", "007"]]
    assert shown(sheets, values("RAW", None, "", True)) == [["1", "", True]]
    assert shown(sheets, values("USER_ENTERED", None, "=1+1", "007")) == [["1", "#N/A", 7.0]]


@pytest.mark.parametrize(
    "body",
    [values("", "x"), values("RAW", *"abcd"), values("RAW", "x" * 50_001), values("RAW", ["x"])],
)
def test_values_that_google_refuses(body: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        shown(book(), body)


def test_a_filter_that_meets_no_row() -> None:
    assert shown(book(), values("RAW", "x", tag_id=9)) == []
    with pytest.raises(Refusal):
        shown(book(), values("RAW", "x", tag_id=9), strict=True)


def test_a_field_mask_shows_what_it_names() -> None:
    mask = parse_mask("a,b(c,d.e),f/g")
    whole: JsonValue = {"a": 1, "b": [{"c": 2, "d": {"e": 3, "x": 4}, "x": 5}], "f": {"g": 6, "x": 7}, "x": 8}

    assert mask == {"a": {}, "b": {"c": {}, "d": {"e": {}}}, "f": {"g": {}}}
    assert masked(whole, mask) == {"a": 1, "b": [{"c": 2, "d": {"e": 3}}], "f": {"g": 6}}


def _token(server: SheetsServer) -> str:
    server.office._tokens["token"] = "https://www.googleapis.com/auth/spreadsheets"
    return "Bearer token"


def _office(change: Callable[[Office], None]) -> Office:
    office = Office(quota=2, clock=lambda: now[0])
    office._tokens["t"] = " ".join(f"https://www.googleapis.com/auth/{each}" for each in ("spreadsheets",))
    change(office)
    return office


now = [100.0]


def _alone(office: Office) -> None:
    office.people.pop()


def _reader(office: Office) -> None:
    office.people[1]["role"] = "reader"


@pytest.mark.parametrize(
    ("change", "kind", "token", "status"),
    [
        (lambda office: None, "read", "x", 401),
        (lambda office: office.revoke(), "read", "t", 401),
        (lambda office: None, "drive", "t", 403),  # a token without Drive's scope
        (_alone, "read", "t", 403),
        (_reader, "write", "t", 403),
    ],
)
def test_who_may_not(change: Callable[[Office], None], kind: Any, token: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        _office(change).admit(f"Bearer {token}", kind)

    assert refused.value.status == status


def test_the_quota_is_of_one_minute_and_reads_and_writes_are_counted_apart() -> None:
    office = _office(lambda office: None)
    for kind in ("read", "write", "read", "write"):
        office.admit("Bearer t", kind)  # type: ignore[arg-type]
    with pytest.raises(Refusal) as refused:
        office.admit("Bearer t", "read")
    assert refused.value.status == 429
    now[0] += 60

    office.admit("Bearer t", "read")


def test_the_key_file_names_an_account_that_the_file_is_shared_with() -> None:
    assert ACCOUNT in str(Office().people)
