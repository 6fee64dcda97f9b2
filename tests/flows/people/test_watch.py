"""`ferry status --check`: what a monitor sees when the scheduler itself is down."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows import watch
from flows.ledger import lease, runs
from flows.ledger.plans import Versions
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, PLAN, RUN
from flows.settings import Settings
from tests.faults.terminal import Said
from tests.faults.world import DEPLOYMENTS
from tests.flows.ledgers import open_at

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
PREFECT = """
definitions: {hourly: &hourly {cron: "5 * * * *", timezone: America/New_York}}
deployments:
  - name: acme-simple
    parameters: {integration: {tenant: acme, integration: simple}}
    schedules: [*hourly, {cron: "0 6 * * *", timezone: America/New_York, active: false}]
  - name: acme-everything
    parameters: {integration: {tenant: acme, integration: everything}}
"""


@dataclass
class Place:
    """Ferry's home with a tenant's files and a ledger; no Prefect server anywhere."""

    folder: Path
    ledger: Ledger

    def settings(self) -> Settings:
        return Settings(home=self.folder, deployments=self.folder / "deployments")

    def problems(self, at: datetime = NOW, which: str = "acme/simple") -> list[str]:
        return list(watch.problems(self.settings(), which, at))

    def ran(self, state: str, ago: timedelta, code: str = "", kind: str = "changes") -> None:
        lease.take(self.ledger, f"r{state}{ago.total_seconds():.0f}{kind}")
        runs.begin(self.ledger, kind, Versions("", ""))
        runs.end(self.ledger, state, code, {}, {})
        with self.ledger.engine.begin() as connection:
            here = RUN.c.id == self.ledger.run
            connection.execute(sa.update(RUN).where(here).values(started=NOW - ago, ended=NOW - ago))
        lease.give_back(self.ledger)

    def delivery(self, state: str, code: str, kind: str = "upsert", ago: timedelta = timedelta()) -> None:
        moment, key = NOW - ago, f"{state}{code}{kind}"
        entry = {"ref": key, "integration": self.ledger.integration, "patient_hash": key, "version": 1}
        sealed = {"patient_sealed": b"", "fingerprint": "", "state": "planned", "attempts": 0}
        plan = {"id": key, "entry": key, "version": 1, "kind": "write", "hash": "", "sealed": b""}
        made = {"fingerprint": "", "instructions": "", "policy": "", "run": "r", "model_requests": 0}
        row = {"key": key, "integration": self.ledger.integration, "plan": key, "entry": key, "version": 1}
        its = {
            "ordinal": 0,
            "operation": "x",
            "delivery_class": kind,
            "record": "",
            "content": "",
            "attempts": 0,
            "run": "r",
        }
        with self.ledger.engine.begin() as connection:
            connection.execute(ENTRY.insert().values(entry | sealed | {"seen_run": "r", "seen": moment}))
            connection.execute(PLAN.insert().values(plan | made | {"made": moment}))
            values = row | its | {"state": state, "code": code, "planned": moment}
            connection.execute(DELIVERY.insert().values(values))

    def check(self, *arguments: str) -> Said:
        """`ferry status --check` where no Prefect server answers."""
        done = subprocess.run(
            [sys.executable, "-m", "flows", "status", "--check", *arguments],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
                "FERRY_HOME": str(self.folder),
                "FERRY_DEPLOYMENTS": str(self.folder / "deployments"),
                "PREFECT_API_URL": "http://127.0.0.1:9/api",
                "PREFECT_HOME": str(self.folder / "prefect"),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    (tmp_path / "deployments" / "acme" / "prefect.yaml").write_text(PREFECT)
    url = Settings(home=tmp_path).ledger()
    ledger = open_at(url, tmp_path / "keys", name="simple", environment="local")
    yield Place(tmp_path, ledger)
    ledger.close()


@pytest.mark.parametrize("minutes", [1, 119, 120])
def test_a_run_within_two_periods_is_no_problem(place: Place, minutes: int) -> None:
    place.ran("complete", timedelta(minutes=minutes))

    assert place.problems() == []


@pytest.mark.parametrize(
    ("happen", "line"),
    [
        (lambda place: None, "acme/simple: never ran, and is to run hourly"),
        (
            lambda place: place.ran("complete", timedelta(minutes=121)),
            "acme/simple: late: the last run ended 2026-11-28 09:59 UTC, 2 h ago, and it is to run hourly",
        ),
        (
            lambda place: place.ran("failed", timedelta(minutes=1), "unauthorized"),
            "acme/simple: the last run failed (unauthorized)",
        ),
        (
            lambda place: place.ran("failed", timedelta(minutes=1), "read_back_differs"),
            "acme/simple: the last run RED, the numbers are wrong (read_back_differs)",
        ),
    ],
)
def test_each_problem_is_one_line(place: Place, happen: Callable[[Place], None], line: str) -> None:
    happen(place)

    (told,) = place.problems()
    assert told.startswith(line)


def test_a_failure_that_a_later_run_put_right_is_none(place: Place) -> None:
    place.ran("failed", timedelta(minutes=50), "unauthorized")
    place.ran("complete", timedelta(minutes=10))

    assert place.problems() == []


def test_what_waits_for_a_person_is_a_problem_each(place: Place) -> None:
    place.ran("incomplete", timedelta(minutes=1), "held unknown")
    place.delivery("held", "too_many_creates")
    place.delivery("unknown", "cut_off", kind="blind")
    place.delivery("unknown", "timeout", kind="keyed")  # the next run looks: nobody is needed
    place.delivery("done", "")

    held, doubtful = place.problems()

    assert held.startswith("acme/simple: 1 held (too_many_creates); decide: ferry release acme/simple")
    assert doubtful.startswith("acme/simple: 1 doubtful; a person must look")


def test_a_retry_neither_hides_that_no_run_read_nor_puts_a_failed_one_right(place: Place) -> None:
    place.ran("failed", timedelta(days=9), "unauthorized")
    place.ran("complete", timedelta(minutes=1), kind="retry")

    late, failed = place.problems()

    assert late.startswith("acme/simple: late: the last run ended 2026-11-19 12:00 UTC, 9 days ago")
    assert failed.startswith("acme/simple: the last run failed (unauthorized)")


def test_a_retry_that_fails_is_a_problem(place: Place) -> None:
    place.ran("complete", timedelta(minutes=10))
    place.ran("failed", timedelta(minutes=1), "read_back_differs", kind="retry")

    (told,) = place.problems()
    assert told.startswith("acme/simple: the last run RED")


@pytest.mark.parametrize(
    ("state", "code", "line"),
    [
        ("failed", "unauthorized", "acme/simple: the last undo failed (unauthorized); ask for it again"),
        ("cut_off", "", "acme/simple: the last undo failed (cut_off); ask for it again: ferry undo RUN"),
        ("incomplete", "planned undecided", "acme/simple: the last undo left out entries"),
    ],
)
def test_an_undo_that_did_not_do_all_is_a_problem_until_another_one_did(
    place: Place, state: str, code: str, line: str
) -> None:
    place.ran(state, timedelta(minutes=30), code, kind="undo")
    place.ran("complete", timedelta(minutes=20))

    (told,) = place.problems()
    assert told.startswith(line)
    place.ran("complete", timedelta(minutes=10), kind="undo")
    assert place.problems() == []


def test_each_mode_is_late_by_its_own_schedule(place: Place) -> None:
    sweep = """
  - name: acme-simple-sweep
    parameters: {integration: {tenant: acme, integration: simple, kind: sweep}}
    schedules: [{cron: "0 6 * * *", timezone: America/New_York}]
"""
    (place.folder / "deployments" / "acme" / "prefect.yaml").write_text(PREFECT.rstrip() + sweep)
    place.ran("complete", timedelta(days=3), kind="sweep")
    place.ran("complete", timedelta(minutes=1))

    (told,) = place.problems()
    assert told.startswith("acme/simple: late: ") and "it is to run daily (sweep)" in told
    place.ran("complete", timedelta(minutes=2), kind="resync")
    assert place.problems() == []


def test_deliveries_that_do_not_leave_and_refused_ones_are_problems(place: Place) -> None:
    place.ran("incomplete", timedelta(minutes=1), "planned")
    place.delivery("planned", "", kind="keyed", ago=timedelta(minutes=121))
    place.delivery("unknown", "timeout", kind="keyed", ago=timedelta(minutes=122))
    place.delivery("planned", "", ago=timedelta(minutes=119))  # the next run may still send it
    place.delivery("rejected", "invalid_record")
    place.delivery("rejected", "of_an_older_version")
    with place.ledger.engine.begin() as connection:
        older = ENTRY.c.ref == "rejectedof_an_older_versionupsert"
        connection.execute(sa.update(ENTRY).where(older).values(version=2))

    refused, stuck = place.problems()

    assert refused.startswith("acme/simple: 1 refused (invalid_record); correct it there: ferry retry")
    assert stuck == ("acme/simple: 2 not delivered since 2026-11-28 09:58 UTC; see: ferry status acme/simple")


def test_what_leaves_in_one_week_of_the_month_may_wait_for_it(place: Place) -> None:
    file = place.folder / "deployments" / "acme" / "prefect.yaml"
    weekly = PREFECT.replace("5 * * * *", "0 6 * * 5").replace(
        "simple}}", "simple, emit: last-week-of-month}}"
    )
    file.write_text(weekly)
    place.ran("complete", timedelta(minutes=1))
    place.delivery("planned", "", ago=timedelta(days=48))
    assert place.problems() == []

    place.delivery("planned", "", kind="keyed", ago=timedelta(days=50))

    (told,) = place.problems()
    assert "1 not delivered since 2026-10-09" in told


def test_a_run_that_still_goes_does_not_hide_that_none_ended(place: Place) -> None:
    place.ran("complete", timedelta(hours=5))
    lease.take(place.ledger, "rgoing")
    runs.begin(place.ledger, "changes", Versions("", ""))

    assert "late" in "".join(place.problems())


def test_an_integration_without_a_schedule_is_never_late(place: Place) -> None:
    assert place.problems(which="acme/everything") == []


def test_an_unsupported_schedule_is_a_problem(place: Place) -> None:
    file = place.folder / "deployments" / "acme" / "prefect.yaml"
    file.write_text(PREFECT.replace("5 * * * *", "* * * * *"))
    place.ran("complete", timedelta(minutes=1))

    (told,) = place.problems()
    assert told.startswith("acme/simple: ") and "* * * * *" in told


def test_the_command_is_silent_and_0_or_speaks_and_is_1_without_any_server(place: Place) -> None:
    place.ran("complete", timedelta())  # NOW is in the past or the future: only the command's clock counts
    late = place.check("acme")
    with place.ledger.engine.begin() as connection:
        connection.execute(sa.update(RUN).values(ended=datetime.now(UTC)))
    well, unknown = place.check("acme"), place.check("nobody")

    assert (well.code, well.out, well.err) == (0, "", "")
    if abs(datetime.now(UTC) - NOW) > timedelta(hours=2):
        assert late.code == 1 and late.out.count("\n") == 1
    assert unknown.code == 1
    assert unknown.err.startswith("ferry: nobody: no such integration below")


def test_the_command_says_each_problem_and_is_1(place: Place) -> None:
    told = place.check()

    assert told.code == 1
    assert told.out.startswith("acme/simple: never ran") and told.out.count("\n") == 1
    assert told.err == ""
