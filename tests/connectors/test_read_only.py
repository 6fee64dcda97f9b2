"""Connectors that only read need no more than to read, and their systems let them do no more."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.airtable import Airtable, AirtableCredentials
from connectors.base import Connector
from connectors.csv import Csv, CsvCredentials
from connectors.errors import Unauthorized
from connectors.excel import Excel, ExcelCredentials
from connectors.operation import Item, Write
from connectors.sandbox.airtable import TOKEN, AirtableStandIn, Rules
from connectors.sandbox.sheets import SheetsServer
from connectors.sent import Sent
from connectors.sheets import Sheets, SheetsCredentials
from connectors.sheets.tokens import Tokens
from connectors.sheets.wire import new_session
from tests.connectors.every import TABLE

ANA = [Item("k", "p1", {"full_name": "Ana", "visits": 1})]
NAME = [Item("k", "p1", {"full_name": "x"})]


def write_of(connector: Connector) -> Write:
    return connector.writes()[TABLE.write]


def shown_by(connector: Connector) -> object:
    """What it reads of one record, and what it says would be refused."""
    write = write_of(connector)
    assert write.present is not None and write.refuses is not None
    return write.present(NAME), write.refuses(NAME)


READ = ({"k": {"full_name": "Ana"}}, [])


def csv(folder: Path, *, read_only: bool) -> Connector:
    return Csv(CsvCredentials(folder=folder), [TABLE], read_only=read_only)


def excel(folder: Path, *, read_only: bool) -> Connector:
    return Excel(ExcelCredentials(file=folder / "practice.xlsx"), [TABLE], read_only=read_only)


@pytest.mark.parametrize("opened", [csv, excel])
def test_a_folder_may_be_one_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[..., Connector]
) -> None:
    write_of(opened(tmp_path, read_only=False)).send(ANA)
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    reading = opened(tmp_path, read_only=True)

    assert reading.check().missing == ()
    assert shown_by(reading) == READ
    with pytest.raises(Unauthorized):
        opened(tmp_path, read_only=False).check()


def test_an_account_may_be_one_that_google_lets_only_read() -> None:
    with SheetsServer() as server:
        made = SheetsCredentials.model_validate(server.values)
        with closing(Sheets(made, [TABLE])) as writing:
            write_of(writing).send(ANA)
        server.office.people[1]["role"] = "reader"
        with closing(Sheets(made, [TABLE], read_only=True)) as reading:
            assert reading.check().missing == ()
            assert shown_by(reading) == READ


def test_what_anybody_can_open_is_refused_before_it_is_live() -> None:
    with SheetsServer() as server:
        made = SheetsCredentials.model_validate(server.values)
        server.office.people.append({"id": "3", "type": "anyone", "role": "reader"})
        with closing(Sheets(made, [TABLE], read_only=True)) as reading:
            for look in (reading.check, lambda: shown_by(reading)):
                with pytest.raises(Unauthorized) as shared:
                    look()
                assert shared.value.code == "shared_by_link"


@pytest.mark.parametrize(("read_only", "status"), [(True, 403), (False, 200)])
def test_google_takes_no_write_with_the_token_of_who_only_reads(read_only: bool, status: int) -> None:
    with SheetsServer() as server, new_session(Sent()) as session:
        made = SheetsCredentials.model_validate(server.values)
        token = Tokens(made, session, read_only=read_only).token()
        sheet = {"properties": {"sheetId": 5, "title": "new", "gridProperties": {"rowCount": 1}}}
        answer = session.post(
            f"{server.url}/v4/spreadsheets/{server.book.id}:batchUpdate",
            headers={"Authorization": f"Bearer {token}"},
            json={"requests": [{"addSheet": sheet}]},
        )

        assert answer.status_code == status
        assert bool(server.book.sheets) == (status == 200)


def test_a_token_may_be_one_that_airtable_lets_only_read() -> None:
    rules = Rules(shown=True, scopes=("data.records:read", "schema.bases:read"), permission="read")
    with AirtableStandIn() as open_to_all:
        made = AirtableCredentials(url=open_to_all.url, token=SecretStr(TOKEN), base=open_to_all.base.id)
        with closing(Airtable(made, [TABLE])) as writing:
            write_of(writing).send(ANA)
        open_to_all.rules = rules
        with closing(Airtable(made, [TABLE], read_only=True)) as reading:
            assert reading.check().missing == ()
            assert shown_by(reading) == READ
        with closing(Airtable(made, [TABLE])) as writing:
            assert writing.check().missing == ("data.records:write", "the editor's role in the base")
