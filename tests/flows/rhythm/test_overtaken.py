"""Several versions of an entry are open: the newest one leaves last, in its month, and none is stuck."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger import deliveries, emission, holds, plans
from flows.ledger.emission import Emission
from flows.ledger.plans import Versions
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, PLAN
from tests.flows.ledgers import held

OPERATION, MONTH = "crm_upsert", "2026-11"
DUE = Emission(MONTH, "last-week-of-month", date(2026, 11, 27), open=True)


@pytest.fixture
def book(ledger_url: str, tmp_path: Path) -> Iterator[Ledger]:
    """With one entry, of which nothing was decided yet."""
    made = held(ledger_url, tmp_path)
    row = {"ref": "e", "integration": made.integration, "patient_hash": "h", "patient_sealed": b""}
    row |= {"fingerprint": "", "version": 0, "state": "planned", "attempts": 0, "seen_run": "r1"}
    with made.engine.begin() as connection:
        connection.execute(ENTRY.insert().values(row | {"seen": datetime.now(UTC)}))
    yield made
    made.close()


def decide(ledger: Ledger, key: str, state: str, period: str | None = None, *, left: bool = False) -> None:
    """A further version of the entry, with one delivery."""
    now = datetime.now(UTC)
    with ledger.writing("test") as connection:
        plans._supersede(connection, ["e"])
        connection.execute(sa.update(ENTRY).values(version=ENTRY.c.version + 1))
        version = connection.execute(sa.select(ENTRY.c.version)).scalar_one()
        content = json.dumps({"patient": "1", "calls": [{"operation": OPERATION, "arguments": {}}]})
        plan = {"id": f"e.{version}", "entry": "e", "version": version, "fingerprint": "", "made": now}
        plan |= {"kind": "write", "hash": "", "instructions": "", "run": "r1", "model_requests": 0}
        sealed = ledger.seal.seal(content.encode(), "plan")
        connection.execute(PLAN.insert().values(plan | {"policy": "p", "sealed": sealed}))
        row = {"key": key, "integration": ledger.integration, "plan": plan["id"], "entry": "e"}
        row |= {"version": version, "ordinal": 0, "operation": OPERATION, "delivery_class": "upsert"}
        row |= {"record": "r", "content": key, "attempts": 1, "run": "r1", "planned": now}
        row |= {"first_sent": now if left else None, "state": state, "period": period}
        connection.execute(DELIVERY.insert().values(row))


def states(ledger: Ledger) -> dict[str, str]:
    with ledger.reading() as connection:
        return {row.key: row.state for row in connection.execute(sa.select(DELIVERY))}


def may_leave(ledger: Ledger, month: Emission | None) -> list[str]:
    """In the order in which they leave."""
    return [one.item.key for one in deliveries.due(ledger, OPERATION, ["planned"], 9, "", month)]


def test_who_delivers_always_again_sends_the_newest_version_alone(book: Ledger) -> None:
    emission.begin(book, DUE, in_week=True)
    decide(book, "z of before", "planned", MONTH, left=True)
    decide(book, "a newest", "planned")

    emission.end_all(book)

    assert may_leave(book, None) == ["a newest"]
    assert states(book)["z of before"] == "superseded"


@pytest.mark.parametrize("word", [holds.release, holds.discard])
def test_a_word_settles_every_version_that_is_held(book: Ledger, word: Callable[[Ledger], int]) -> None:
    decide(book, "before", "planned", MONTH, left=True)
    decide(book, "newest", "planned")
    holds.other_versions(book, Versions("", "another"))
    assert holds.by_code(book) == {"policy_changed": 2}

    assert word(book) == 1

    assert holds.by_code(book) == {}
    newest = "planned" if word is holds.release else "superseded"
    assert states(book) == {"before": "superseded", "newest": newest}


def test_what_was_held_when_the_month_closed_and_is_void_takes_nobodys_turn(book: Ledger) -> None:
    emission.begin(book, DUE, in_week=True)
    decide(book, "held", "held")
    with book.writing("test") as connection:
        emission.close(book, connection, MONTH)
    decide(book, "newest", "planned")

    month = emission.begin(book, DUE, in_week=True)

    assert month.reopened
    assert may_leave(book, month) == ["newest"]
    assert emission.waiting(book, month) == {}


def test_what_may_have_left_in_the_month_keeps_its_turn_when_it_is_void(book: Ledger) -> None:
    emission.begin(book, DUE, in_week=True)
    decide(book, "left", "held", MONTH, left=True)
    decide(book, "newest", "planned")

    assert may_leave(book, emission.begin(book, DUE, in_week=True)) == []
