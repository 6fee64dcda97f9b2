"""Jobs whose answers are lost, that fail, that are refused: what is sent again, and what is said."""

from datetime import datetime
from typing import Any

import pytest

from connectors.bigquery.failures import PASSING, REASONS, failure
from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.operation import Item
from connectors.sandbox.bigquery.refusal import Refusal
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import Proxy
from connectors.tabular import Column
from tests.connectors.bigquery.place import Place, held, send, spoken, table

EMAIL = Column(type="str")
LOADS, STATEMENTS = "/upload/bigquery", "/jobs?prettyPrint"
Proxied = tuple[Place, Proxy]


@pytest.mark.parametrize(
    "trouble", ["reset_applied", "502_applied", "truncated", "hang_applied", "html_applied"]
)
@pytest.mark.parametrize("path", [LOADS, STATEMENTS])
def test_a_job_whose_answer_is_lost_is_run_once(proxied: Proxied, trouble: Any, path: str) -> None:
    place, proxy = proxied
    connector = place.connect(table(email=EMAIL))
    connector.prepare()
    proxy.faults(Fault(trouble=trouble, path=path, method="POST", seconds=3.0))

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["done"]
    assert any(seen.trouble == trouble for seen in proxy.seen)
    assert place.jobs() == ["load", "query"]
    assert len(place.rows("patients")) == 1
    connector.close()


@pytest.mark.parametrize("path", [LOADS, STATEMENTS, "/jobs/ferry_"])
def test_a_job_that_cannot_be_followed_is_doubtful_only_if_it_changes_the_table(
    proxied: Proxied, path: str
) -> None:
    place, proxy = proxied
    connector = place.connect(table(email=EMAIL))
    connector.prepare()
    proxy.faults(Fault(trouble="502_applied", path=path, times=None))

    with pytest.raises(Unknown if path == STATEMENTS else Transient):
        send(connector, ("1", {"email": "a"}))
    proxy.faults()
    assert spoken(send(connector, ("1", {"email": "b"}))) == ["done"]
    assert [row["email"] for row in place.rows("patients")] == ["b"]
    connector.close()


@pytest.mark.parametrize("trouble", ["429", "401", "403"])
def test_a_statement_that_may_have_arrived_once_stays_doubtful(proxied: Proxied, trouble: Any) -> None:
    """Its answer is lost, and every later try is surely not applied: the first one may still be."""
    place, proxy = proxied
    connector = place.connect(table(email=EMAIL))
    connector.prepare()
    proxy.faults(
        Fault(trouble="reset_applied", path=STATEMENTS, request=1),
        Fault(trouble=trouble, path=STATEMENTS, request=2, times=None, retry_after="0"),
    )

    with pytest.raises(Unknown):
        send(connector, ("1", {"email": "a"}))
    assert len(place.rows("patients")) == 1
    connector.close()


def test_a_statement_that_may_not_be_followed_any_more_stays_doubtful(proxied: Proxied) -> None:
    """The token is withdrawn while it runs."""
    place, proxy = proxied
    connector = place.connect(table(email=EMAIL))
    connector.prepare()
    place.state.looks = 0
    proxy.faults(Fault(trouble="401", path="/jobs/ferry_", request=2, times=None))

    with pytest.raises(Unknown):
        send(connector, ("1", {"email": "a"}))
    assert len(place.rows("patients")) == 1
    connector.close()


def test_a_load_that_succeeds_without_some_rows_changes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = place.connect(table(email=EMAIL))
    load = place.state.load

    def leaving_one_out(table: Any, rows: Any, *, keep: bool) -> None:
        load(table, rows[1:], keep=keep)

    monkeypatch.setattr(place.state, "load", leaving_one_out)
    with pytest.raises(Transient) as transient:
        send(connector, ("1", {"email": "a"}), ("2", {"email": "b"}))
    assert transient.value.code == "partly_loaded"
    assert place.rows("patients") == []
    connector.close()


def test_a_statement_that_collides_is_run_again_under_another_id(place: Place) -> None:
    connector = place.connect(table(email=EMAIL))
    place.state.contended = 2

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["done"]
    assert [id_[-1] for id_ in place.state.jobs if "_load_" not in id_] == ["1", "2", "3"]
    connector.close()


def test_a_statement_that_always_collides_is_left_for_later(place: Place) -> None:
    connector = place.connect(table(email=EMAIL))
    place.state.contended = 100

    with pytest.raises(Transient) as transient:
        send(connector, ("1", {"email": "a"}))
    assert transient.value.code == "contention"
    assert place.state.contended == 96
    assert place.rows("patients") == []
    connector.close()


def test_a_daily_quota_stops_and_says_for_how_long(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def spent(name: str) -> None:
        raise Refusal(403, "quotaExceeded", "Quota exceeded: ana@example.com")

    monkeypatch.setattr(place.state, "count_load", spent)
    connector = place.connect(table(email=EMAIL))

    with pytest.raises(Transient) as transient:
        send(connector, ("1", {"email": "a"}))
    assert transient.value.code == "quota_exceeded"
    assert transient.value.wait is not None and transient.value.wait.total_seconds() >= 3600
    assert "ana" not in str(transient.value)
    connector.close()


def test_half_of_a_batch_that_stays_away_is_told_apart(proxied: Proxied) -> None:
    place, proxy = proxied
    connector = place.connect(table(note=Column(type="str")))
    connector.prepare()
    proxy.faults(Fault(trouble="503", path=LOADS, method="POST", request=2, times=None))

    outcomes = send(connector, *((str(at), {"note": "x" * 900_000}) for at in range(13)))
    assert {outcome.state for outcome in outcomes[:4]} == {"done"}
    assert {outcome.state for outcome in outcomes[4:]} == {"transient"}
    assert len(outcomes) == 13
    assert len(place.rows("patients")) == 4
    assert proxy.count("POST", LOADS) == 1 + 4  # what comes after is not even tried
    connector.close()


@pytest.mark.parametrize(
    ("permission", "code"),
    [
        ("bigquery.jobs.create", "forbidden"),
        ("bigquery.tables.create", "forbidden"),
        ("bigquery.datasets.get", "forbidden"),
    ],
)
def test_what_is_forbidden_is_the_tenants_matter(place: Place, permission: str, code: str) -> None:
    place.state.denied.add(permission)
    connector = place.connect(table(email=EMAIL))

    with pytest.raises(Unauthorized) as unauthorized:
        send(connector, ("1", {"email": "a"}))
    assert unauthorized.value.code == code
    connector.close()


def test_a_change_of_the_table_that_is_forbidden_is_the_tenants_matter(place: Place) -> None:
    connector = place.connect(table(email=EMAIL))
    send(connector, ("1", {"email": "a"}))
    place.state.denied.add("bigquery.tables.updateData")

    with pytest.raises(Unauthorized):
        send(connector, ("1", {"email": "b"}))
    assert place.staged() == []
    connector.close()


def test_a_token_that_was_withdrawn_is_the_tenants_matter(place: Place) -> None:
    connector = place.connect(table(email=EMAIL))
    connector.check()
    place.server.tokens.revoke()

    with pytest.raises(Unauthorized) as unauthorized:
        send(connector, ("1", {"email": "a"}))
    assert unauthorized.value.code == "unauthorized"
    connector.close()


def test_a_staging_table_that_nobody_deletes_goes_by_itself(proxied: Proxied) -> None:
    place, proxy = proxied
    connector = place.connect(table(email=EMAIL))
    proxy.faults(Fault(trouble="503", method="DELETE", times=None))

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["done"]
    (left,) = place.staged()
    until = int(place.state.tables[left].resource["expirationTime"])
    assert 0 < until - int(place.state.tables[left].resource["creationTime"]) <= 86_500_000
    connector.close()


def test_a_staging_table_whose_deletion_fails_is_deleted_again(proxied: Proxied) -> None:
    place, proxy = proxied
    connector = place.connect(table(email=EMAIL))
    proxy.faults(Fault(trouble="503", method="DELETE", times=2))

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["done"]
    assert place.staged() == []
    connector.close()


def test_a_lookup_of_rows_is_asked_again(proxied: Proxied) -> None:
    place, proxy = proxied
    connector = place.connect(table(email=EMAIL))
    send(connector, ("1", {"email": "a"}))
    present = connector.writes()["upsert_patients"].present
    proxy.faults(Fault(trouble="503", path="/queries", times=2))

    assert present is not None
    assert present([Item("k", "1", {"email": "?"})]) == {"k": {"email": "a"}}
    connector.close()


def test_a_lookup_that_takes_its_time_is_waited_for(place: Place) -> None:
    connector = place.connect(table(email=EMAIL))
    send(connector, ("1", {"email": "a"}))
    place.state.slow = 1

    assert held(connector, "1", "email") == {"email": "a"}
    assert place.state.slow == 0
    connector.close()


@pytest.mark.parametrize("looks", [0, 2])  # it fails before, or while it is waited for
def test_a_lookup_that_fails_after_a_while_quotes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    def exceeded(*_: object) -> None:
        raise Refusal(400, "resourcesExceeded", "ana@example.com")

    connector = place.connect(table(email=EMAIL))
    send(connector, ("1", {"email": "a"}))
    monkeypatch.setattr(place.state.rows, "select", exceeded)
    place.state.slow, place.state.looks = 1, looks

    with pytest.raises(Rejected) as rejected:
        held(connector, "1", "email")
    assert rejected.value.code == "too_large"
    assert "ana" not in str(rejected.value)
    assert rejected.value.__context__ is None or "ana" not in str(rejected.value.__context__)
    connector.close()


def test_a_token_that_ran_out_is_fetched_anew(place: Place) -> None:
    connector = place.connect(table(email=EMAIL))
    connector.check()
    place.server.tokens.revoke()
    connector._api()._transport.signer.expiry = datetime(2026, 1, 1)  # noqa: DTZ001  # google-auth's own: UTC

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["done"]
    connector.close()


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_reason_has_one_meaning_and_quotes_nothing(reason: str) -> None:
    error = failure(reason, "ana@example.com", wait=None, where="load job")

    assert isinstance(error, (Transient, Unauthorized, Rejected))
    assert error.code == REASONS[reason][1]
    assert "ana" not in str(error)


@pytest.mark.parametrize("words", PASSING)
def test_refusals_that_time_puts_right_are_known_by_their_words(words: str) -> None:
    error = failure("invalidQuery", f"Could not … {words} …", wait=None, where="query job")

    assert isinstance(error, Transient)
    assert error.code == "contention"
