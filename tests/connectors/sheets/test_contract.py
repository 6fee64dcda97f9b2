"""Every request that the connector makes is one that Google describes, and the stand-in asks for it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.sandbox.proxy import Proxy
from connectors.sandbox.sheets import SheetsServer
from connectors.sandbox.sheets.discovery import Discovery
from connectors.sheets import Sheets, SheetsCredentials
from tests.connectors.sheets.conftest import specs
from tests.connectors.sheets.rows import PATIENTS, items_of, numbered, upsert

BOOK = "/v4/spreadsheets/1abcdefghijk"


@pytest.fixture(scope="module")
def folder() -> Path:
    found = specs()
    if found is None:
        pytest.skip("needs the shared specs: set FERRY_SPECS")
    return found


@pytest.fixture(scope="module")
def discovery(folder: Path) -> Discovery:
    return Discovery(folder)


@pytest.fixture
def described(folder: Path) -> Iterator[SheetsServer]:
    with SheetsServer(specs=folder) as server:
        yield server


def test_every_request_is_one_that_google_describes(described: SheetsServer) -> None:
    with Proxy(described.url) as proxy:
        made = SheetsCredentials.model_validate({**described.values, "url": proxy.url})
        connector = Sheets(made, [PATIENTS])
        connector.check()
        described.people.add_sheet("patients", [["patient_id"]], height=1)
        connector.prepare()  # columns that are missing
        described.book.sheets.clear()
        write = connector.writes()["upsert_patients"]
        upsert(write, *numbered(4))  # a sheet, and rows
        described.people.sort("patients", "visits", down=True)
        upsert(write, *numbered(4, 1))  # tags that stayed behind
        upsert(write, *numbered(4, 2))
        described.people.insert_row("patients", 1)
        upsert(write, *numbered(5, 3))
        assert write.present is not None
        write.present(items_of(*numbered(5)))
        connector.drift()
        asked = {one.path.partition("?")[0].rpartition("/")[2].partition(":")[2] for one in proxy.seen}

    assert described.troubles == []
    assert asked == {"", "getByDataFilter", "batchUpdate", "batchUpdateByDataFilter"}
    assert all(count > 0 for count in described.counted.values())


WRONG: list[tuple[str, str, Sequence[tuple[str, str]], bytes, str]] = [
    ("POST", f"{BOOK}:batchUpdate", [], b'{"requests": [{"addSheets": {}}]}', "no such field"),
    (
        "POST",
        f"{BOOK}:batchUpdate",
        [],
        b'{"requests": [{"addSheet": {"properties": {"sheetId": "x"}}}]}',
        "integer",
    ),
    ("POST", f"{BOOK}:batchUpdate", [("fields", "replies,nothing")], b"{}", "no nothing"),
    ("POST", f"{BOOK}/values:batchUpdateByDataFilter", [], b'{"valueInputOption": "EXACTLY"}', "its values"),
    ("POST", f"{BOOK}/values:batchUpdateByDataFilter", [], b'{"data": [{"values": "x"}]}', "not array"),
    ("GET", BOOK, [("includeGridData", "yes")], b"", "boolean"),
    ("GET", BOOK, [("page", "1")], b"", "no such parameter"),
    ("GET", BOOK, [], b"{}", "a body"),
    ("PUT", BOOK, [], b"{}", "no such method"),
    ("GET", "/drive/v3/files/1a/permission", [], b"", "no such method"),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "trouble"), WRONG)
def test_a_wrong_request_is_seen(
    discovery: Discovery, method: str, path: str, query: Sequence[tuple[str, str]], body: bytes, trouble: str
) -> None:
    assert trouble in " ".join(discovery.troubles(method, path, query, body))


def test_what_google_does_not_describe_the_stand_in_refuses(described: SheetsServer) -> None:
    status, answer = described.answer("POST", f"{BOOK}:batchUpdate", "", b'{"request": []}')

    assert status == 400
    assert isinstance(answer, dict)
    error: JsonValue = answer["error"]
    assert isinstance(error, dict)
    assert error["status"] == "INVALID_ARGUMENT"
