"""The way to Airtable: who answers, how fast we ask, and what its refusals mean."""

import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import SecretStr, ValidationError

from connectors.airtable import Airtable, AirtableCredentials
from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.http import Patience
from connectors.operation import Item
from connectors.sandbox.airtable import TOKEN, AirtableStandIn, Rules, server
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import QUOTED, Proxy
from tests.connectors.airtable.case import SHORT, refusal
from tests.connectors.every import PEOPLE, TABLE


def credentials(stand_in: AirtableStandIn, url: str = "", **more: object) -> AirtableCredentials:
    given = {"url": url or stand_in.url, "token": TOKEN, "base": stand_in.base.id, "patience": SHORT, **more}
    return AirtableCredentials.model_validate(given)


def items(count: int) -> list[Item]:
    return [PEOPLE.item(record) for record in range(count)]


def test_the_account_is_the_base_with_what_lacks() -> None:
    expected = {
        Rules(): (),
        Rules(shown=True): (),
        Rules(permission="read"): ("the editor's role in the base",),
        Rules(shown=True, scopes=("data.records:read", "schema.bases:read")): ("data.records:write",),
    }
    for rules, missing in expected.items():
        with AirtableStandIn(rules) as stand_in, closing(Airtable(credentials(stand_in), [])) as connector:
            account = connector.check()

            assert (account.system, account.identity, account.sandbox) == (
                "airtable",
                stand_in.base.id,
                False,
            )
            assert account.missing == missing
            assert stand_in.base.tables == []


def test_a_token_without_the_base_is_the_tenants_matter() -> None:
    with AirtableStandIn(Rules(permission=None)) as stand_in:
        with (
            closing(Airtable(credentials(stand_in), [TABLE])) as connector,
            pytest.raises(Unauthorized) as refused,
        ):
            connector.check()

        assert refused.value.code == "no_base"


def test_a_token_that_may_not_make_fields_is_told_so() -> None:
    scopes = ("data.records:read", "data.records:write", "schema.bases:read")
    with AirtableStandIn(Rules(scopes=scopes)) as stand_in:
        with (
            closing(Airtable(credentials(stand_in), [TABLE])) as connector,
            pytest.raises(Unauthorized) as refused,
        ):
            connector.writes()["upsert_people"].send(items(1))

        assert refused.value.code == "no_permission"


def test_one_base_has_one_limiter_for_all_connectors() -> None:
    with AirtableStandIn(Rules(rate=5, blocked=60)) as stand_in:
        known = credentials(stand_in, requests_per_second=4.5, patience=Patience())
        pair = [Airtable(known, [TABLE]) for _ in range(2)]
        threads = [threading.Thread(target=connector.check) for connector in pair for _ in range(2)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert stand_in.gauge.refused == 0
        assert stand_in.gauge.requests == 8
        assert time.monotonic() - began >= 7 / 4.5
        for connector in pair:
            connector.close()


def test_silence_is_kept_after_too_many() -> None:
    patience = Patience(attempts=3, first_wait=0.01, longest_wait=2.0, back_off=0.4, answer=2.0)
    with AirtableStandIn() as stand_in, Proxy(stand_in.url, refusal=refusal) as proxy:
        connector = Airtable(credentials(stand_in, proxy.url, patience=patience), [TABLE])
        connector.prepare()
        proxy.faults(Fault(trouble="429", request=1), Fault(trouble="429", request=2))
        began = time.monotonic()
        outcomes = connector.writes()["upsert_people"].send(items(1))
        connector.close()

        assert [outcome.state for outcome in outcomes] == ["done"]
        assert time.monotonic() - began >= 0.8
        assert len(stand_in.base.rows("people")) == 1


def test_silence_is_kept_by_connectors_with_another_pace_too() -> None:
    patience = Patience(attempts=1, longest_wait=2.0, back_off=0.6, answer=2.0)
    with AirtableStandIn() as stand_in, Proxy(stand_in.url, refusal=refusal) as proxy:
        known = credentials(stand_in, proxy.url, patience=patience)
        slower = credentials(stand_in, proxy.url, patience=patience, requests_per_second=4)
        with closing(Airtable(known, [TABLE])) as one, closing(Airtable(slower, [TABLE])) as other:
            one.prepare()
            proxy.faults(Fault(trouble="429"))
            with pytest.raises(Transient):
                one.writes()["upsert_people"].send(items(1))
            began = time.monotonic()
            other.check()

        assert time.monotonic() - began >= 0.5


def test_airtable_is_left_alone_for_30_seconds() -> None:
    real = AirtableCredentials(token=SecretStr("x"), base="app00000000000000")

    assert (real.pace.back_off, real.rate) == (30.0, 4.5)


def test_a_month_that_is_used_up_is_not_waited_for() -> None:
    with AirtableStandIn(Rules(calls=0)) as stand_in:
        connector = Airtable(credentials(stand_in), [TABLE])
        with pytest.raises(Transient) as used_up:
            connector.writes()["upsert_people"].send(items(1))
        connector.close()

        assert used_up.value.code == "monthly_limit"
        assert stand_in.gauge.requests == 1


def test_what_was_written_before_a_failure_is_said_to_be_done() -> None:
    with AirtableStandIn() as stand_in, Proxy(stand_in.url, refusal=refusal) as proxy:
        connector = Airtable(credentials(stand_in, proxy.url), [TABLE])
        connector.prepare()
        proxy.faults(Fault(trouble="401", request=3, times=None))
        outcomes = connector.writes()["upsert_people"].send(items(40))
        connector.close()

        assert [outcome.state for outcome in outcomes] == ["done"] * 20 + ["transient"] * 20
        assert {outcome.code for outcome in outcomes[20:]} == {"unauthorized"}
        assert len(stand_in.base.rows("people")) == 20


def test_two_lost_answers_end_a_batch_and_one_does_not() -> None:
    with AirtableStandIn() as stand_in, Proxy(stand_in.url, refusal=refusal) as proxy:
        connector = Airtable(credentials(stand_in, proxy.url), [TABLE])
        connector.prepare()
        proxy.faults(Fault(trouble="502_applied", request=2))
        one = connector.writes()["upsert_people"].send(items(40))
        proxy.faults(Fault(trouble="502_applied", request=2), Fault(trouble="502_applied", request=3))
        two = connector.writes()["upsert_people"].send(items(40))
        connector.close()

        assert [outcome.state for outcome in one] == ["done"] * 10 + ["unknown"] * 10 + ["done"] * 20
        assert [outcome.state for outcome in two] == ["done"] * 10 + ["unknown"] * 20 + ["transient"] * 10
        assert len(stand_in.base.rows("people")) == 40


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"records": 5}', b'{"records": [{"id": "QUOTED"}]}', b"<html>QUOTED"]
)
def test_an_answer_that_makes_no_sense_is_unknown_and_not_quoted(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AirtableStandIn() as stand_in:
        connector = Airtable(credentials(stand_in), [TABLE])
        connector.prepare()
        said = SimpleNamespace(dumps=lambda reply: body.decode().replace("QUOTED", QUOTED))
        monkeypatch.setattr(server, "json", said)
        with pytest.raises(Unknown) as unknown:
            connector.writes()["upsert_people"].send(items(1))
        connector.close()

        assert "Zephyrine" not in str(unknown.value) and "Ana" not in str(unknown.value)
        assert unknown.value.__context__ is None and unknown.value.__cause__ is None


def test_no_password_file_and_no_proxy_of_the_machine_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with AirtableStandIn() as stand_in, closing(Airtable(credentials(stand_in), [])) as connector:
        assert connector.check().identity == stand_in.base.id


def test_a_base_that_is_none_is_refused_without_being_quoted() -> None:
    for wrong in ({"base": "tbl00000000000000"}, {"token": "a b"}, {"token": ""}, {"requests_per_second": 6}):
        with pytest.raises(ValidationError) as error:
            AirtableCredentials.model_validate({"token": "x", "base": "app00000000000000", **wrong})

        assert "tbl0" not in str(error.value)


def test_a_table_that_vanishes_is_made_again() -> None:
    with AirtableStandIn() as stand_in:
        with closing(Airtable(credentials(stand_in), [TABLE])) as connector:
            connector.writes()["upsert_people"].send(items(1))
            stand_in.base.tables.clear()
            with pytest.raises((Unauthorized, Rejected)):
                connector.writes()["upsert_people"].send(items(1))
        with closing(Airtable(credentials(stand_in), [TABLE])) as connector:
            assert [one.state for one in connector.writes()["upsert_people"].send(items(1))] == ["done"]
