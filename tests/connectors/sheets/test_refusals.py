"""Who may not, what Google refuses, and what it stores differently: told, and never taken for done."""

import base64

import pytest
from pydantic import JsonValue, ValidationError

from connectors.errors import Rejected, Unauthorized
from connectors.sandbox.sheets import SheetsServer
from connectors.sandbox.sheets.state import CELLS, Row, Sheet
from connectors.sheets import SheetsCredentials
from tests.connectors.sheets.rows import PATIENTS, items_of, numbered, reached, upsert, write_to


def test_open_to_anyone_with_the_link_is_refused(server: SheetsServer) -> None:
    upsert(write_to(server), ("1", {"name": "Ana"}))
    server.office.people.append({"id": "anyoneWithLink", "type": "anyone", "role": "reader"})
    connector = reached(server)
    writes, reads = server.counted["write"], server.counted["read"]

    for act in (
        connector.check,
        connector.prepare,
        lambda: upsert(connector.writes()["upsert_patients"], ("1", {"name": "x"})),
        lambda: connector.writes()["upsert_patients"].present(items_of(("1", {"name": ""}))),  # type: ignore[misc]
    ):
        with pytest.raises(Unauthorized) as refused:
            act()
        assert refused.value.code == "shared_by_link"
    assert server.counted["write"] == writes
    assert server.counted["read"] == reads + 1  # check's


def test_published_on_the_web_is_refused(server: SheetsServer) -> None:
    server.office.web["published"] = True
    connector = reached(server)

    for act in (connector.check, lambda: upsert(connector.writes()["upsert_patients"], ("1", {}))):
        with pytest.raises(Unauthorized) as refused:
            act()
        assert refused.value.code == "published"
    assert server.counted["write"] == 0


def test_anyone_by_way_of_a_shared_drive_is_refused_and_ones_own_organisation_is_not(
    server: SheetsServer,
) -> None:
    server.office.people.append({"id": "d", "type": "domain", "role": "reader", "domain": "example.com"})
    assert upsert(write_to(server), ("1", {"name": "Ana"})) == ["done"]

    inherited: JsonValue = [{"permissionType": "member", "role": "reader", "inherited": True}]
    server.office.people.append(
        {"id": "anyone", "type": "anyone", "role": "reader", "permissionDetails": inherited}
    )
    with pytest.raises(Unauthorized) as refused:
        upsert(write_to(server), ("1", {"name": "Bo"}))
    assert refused.value.code == "shared_by_link"


def test_where_sharing_cannot_be_seen_nothing_is_written(server: SheetsServer) -> None:
    server.office.people[1]["role"] = "reader"
    connector = reached(server)

    with pytest.raises(Unauthorized) as refused:
        upsert(connector.writes()["upsert_patients"], ("1", {}))
    assert refused.value.code == "sharing_unknown"
    assert connector.check().missing == ("canEdit",)


def test_the_account_is_the_spreadsheet(server: SheetsServer) -> None:
    account = reached(server).check()

    assert account.identity == server.book.id
    assert not account.sandbox
    assert account.missing == ()


@pytest.mark.parametrize(
    "wrong",
    [{"spreadsheet": "../x"}, {"spreadsheet": "short"}, {"url": "http://sheets.googleapis.com"}, {"more": 1}],
)
def test_wrong_settings_are_refused(server: SheetsServer, wrong: dict[str, JsonValue]) -> None:
    with pytest.raises(ValidationError):
        SheetsCredentials.model_validate({**server.values, **wrong})


def test_a_key_that_is_none_is_told_without_a_word_of_it(server: SheetsServer) -> None:
    for key in ("secret", "{}", '{"client_email": "a@example.com", "private_key": "secret"}', "[1]"):
        credentials = SheetsCredentials.model_validate({**server.values, "service_account": key})
        connector = reached(server).__class__(credentials, [PATIENTS])
        with pytest.raises(Unauthorized) as refused:
            connector.check()

        assert refused.value.code == "bad_key"
        assert "secret" not in str(refused.value)
        assert refused.value.__context__ is None


def test_a_key_in_base64_is_read_too(server: SheetsServer) -> None:
    key = base64.b64encode(str(server.values["service_account"]).encode()).decode()
    credentials = SheetsCredentials.model_validate({**server.values, "service_account": f"{key}\n"})

    assert reached(server).__class__(credentials, [PATIENTS]).check().identity == server.book.id


def test_one_row_that_google_refuses_does_not_hold_up_the_others(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, *numbered(8))
    server.forbidden = "poison"
    rows = [
        (patient, {**values, "name": "poison" if at == 5 else "fine"})
        for at, (patient, values) in enumerate(numbered(8))
    ]

    assert upsert(write, *rows) == ["rejected http_400" if at == 5 else "done" for at in range(8)]
    assert [row["name"] for row in server.people.records("patients")] == [
        "Name 0" if at == 5 else "fine" for at in range(8)
    ]


def test_what_google_stores_differently_is_not_called_done(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, *numbered(2))
    server.mangled = ("\x01", "")

    assert upsert(write, ("p00000", {"name": "a\x01b"}), ("p00001", {"name": "ab"})) == [
        "rejected stored_differently",
        "done",
    ]


def test_a_new_row_that_google_stores_differently_is_not_called_done(server: SheetsServer) -> None:
    server.mangled = ("\x01", "")

    assert upsert(write_to(server), ("1", {"name": "a\x01b"}), ("2", {"name": "ab"})) == [
        "rejected stored_differently",
        "done",
    ]


def test_a_full_spreadsheet_takes_no_new_row_but_what_is_there_is_kept(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, *numbered(3))
    server.book.sheets.append(Sheet(9, "theirs", width=(CELLS - 103 * 4) // 100, rows=[Row()] * 100))
    before = server.counted["write"]

    assert upsert(write, *numbered(40, 1)) == ["done"] * 3 + ["rejected spreadsheet_full"] * 37
    assert server.counted["write"] - before == 2
    assert [row["name"] for row in server.people.records("patients")] == ["Name 1"] * 3


def test_a_batch_that_is_refused_as_a_whole_is_not_parted_for_ever(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, *numbered(200))
    server.forbidden = "Name 1"
    before = server.counted["write"]

    assert set(upsert(write, *numbered(200, 1))) == {"rejected http_400"}
    assert server.counted["write"] - before < 60


def test_a_sheet_that_is_taken_away_in_the_middle_is_made_again(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, ("1", {"name": "Ana"}))
    server.book.sheets.clear()

    assert upsert(write, ("1", {"name": "Ana"})) == ["done"]
    assert write.present is not None
    server.book.sheets.clear()
    assert write.present(items_of(("1", {"name": ""}))) == {"k0": None}


def test_no_error_of_a_read_is_an_empty_answer(server: SheetsServer) -> None:
    write = write_to(server)
    server.forbidden = "gridRange"
    upsert(write, ("1", {"name": "Ana"}))
    assert write.present is not None

    with pytest.raises(Rejected):
        write.present(items_of(("1", {"name": ""})))
