"""What a monitor is told of a stage: `ferry status --check` watches it beside what is live."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from flows.ledger import lease, runs, stages
from flows.ledger.plans import Versions
from flows.ledger.stage_tables import STAGE
from flows.ledger.store import Ledger
from flows.ledger.tables import RUN
from flows.settings import Settings
from tests.flows.ledgers import open_at
from tests.flows.people.test_watch import NOW, PREFECT, Place, place

__all__ = ["place"]

STAGED = """
  - name: acme-simple-staging
    parameters: {integration: {tenant: acme, integration: simple, mode: staging}}
    schedules: [{cron: "0 6 * * *", timezone: America/New_York}]
"""
WHOSE = "acme/simple, staging: "


@pytest.fixture
def staged(place: Place) -> Place:
    """Live it is to run hourly and did a moment ago; to be tried it is to run daily."""
    (place.folder / "deployments" / "acme" / "prefect.yaml").write_text(PREFECT.rstrip() + STAGED)
    place.ran("complete", timedelta(minutes=1))
    return place


def tried(place: Place, ago: timedelta, state: str = "complete", *, ends: datetime) -> None:
    url = Settings(home=place.folder).ledger()
    key = stages.key_name("acme", "simple", 1)
    ledger = open_at(url, place.folder / "keys", stages.named("simple"), environment="local", key=key)
    _end_at(ledger, datetime.now(UTC) + timedelta(days=1))  # while it runs: NOW may be long ago
    lease.take(ledger, f"rstaged{ago.total_seconds():.0f}")
    if stages.latest(ledger.engine, "acme", "simple") is None:
        stages.begin(ledger)
    runs.begin(ledger, "changes", Versions("", ""))
    runs.end(ledger, state, "unauthorized" if state == "failed" else "", {}, {})
    with ledger.engine.begin() as connection:
        connection.execute(
            sa.update(RUN).where(RUN.c.id == ledger.run).values(started=NOW - ago, ended=NOW - ago)
        )
    lease.give_back(ledger)
    _end_at(ledger, ends)
    ledger.close()


def _end_at(ledger: Ledger, ends: datetime) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(STAGE).values(ends=ends))


def test_each_is_late_by_its_own_schedule_alone(staged: Place) -> None:
    (told,) = staged.problems()
    assert told.startswith(f"{WHOSE}never ran, and is to run daily")

    tried(staged, timedelta(hours=47), ends=NOW + timedelta(days=1))
    assert staged.problems() == []

    tried(staged, timedelta(hours=1), "failed", ends=NOW + timedelta(days=1))
    (told,) = staged.problems()
    assert told == f"{WHOSE}the last run failed (unauthorized); see: ferry status acme/simple --staging"


def test_a_stage_that_is_over_and_still_scheduled_is_one_line(staged: Place) -> None:
    tried(staged, timedelta(days=6), "failed", ends=NOW - timedelta(minutes=1))

    (told,) = staged.problems()

    assert told.startswith(f"{WHOSE}ended 2026-11-28 11:59 UTC and is still scheduled; take it out of ")
    assert told.endswith("or agree on more: ferry stage acme/simple --until DATE")


def test_data_that_nobody_destroyed_when_it_was_to_be_is_a_problem(place: Place) -> None:
    place.ran("complete", timedelta(minutes=1))
    tried(place, timedelta(days=9), ends=NOW - timedelta(minutes=59))
    assert place.problems() == []

    (told,) = place.problems(at=NOW + timedelta(minutes=2))

    assert told == f"{WHOSE}is over, and its data is still there; is the worker up? Destroy it: ferry sweep"
