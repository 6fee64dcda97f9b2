"""Scheduled runs on the real Prefect server: late ones are caught up, a changed schedule is refused."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.states import Running, Scheduled, Suspended

from flows.schedules import moments, parse
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.rhythm.prefects import Deployed, client_of, deployed

Make = Callable[[str], Practice]
FRIDAY, MONDAY = (CronSchedule(cron=f"0 6 * * {day}", timezone="UTC") for day in (5, 1))
NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"


@pytest.fixture
def hourly(practice: Make, prefect: Mapping[str, str]) -> Iterator[Deployed]:
    """An integration that runs every hour, on the server."""
    made = practice("hourly")
    made.label = "acme/simple"
    with client_of(prefect) as client:
        yield deployed(client, made, "0 * * * *", "UTC")


def ran(here: Deployed) -> int:
    """How many runs the ledger has."""
    if not (here.practice.folder / "ledger.db").exists():
        return 0
    ((number,),) = here.practice.ledger("SELECT count(*) FROM run")
    return int(str(number))


def test_a_day_of_missed_runs_is_caught_up_by_one(hourly: Deployed) -> None:
    moment = datetime.now(UTC)
    hourly.backfill(moment - timedelta(hours=24), moment)
    by_hand = hourly.by_hand()
    late = [one for one in hourly.runs() if one.auto_scheduled and one.expected_start_time < moment]
    assert len(late) == 24
    resumed = late.pop()
    for state in (Running(), Suspended(), Scheduled(name="Resuming", scheduled_time=moment)):
        hourly.client.set_flow_run_state(resumed.id, state, force=True)

    worked = hourly.execute(late[0])

    assert worked.state.name == "Complete"
    assert ran(hourly) == 1
    after = {one.id: one for one in hourly.runs()}
    ((run,),) = hourly.practice.ledger("SELECT id FROM run")
    others = [after[one.id].state for one in late[1:]]
    assert {(one.type.value, one.message) for one in others} == {("CANCELLED", f"caught up by run {run}")}
    assert after[by_hand.id].state.is_scheduled()
    assert after[resumed.id].state.name == "Resuming"
    early = [one for one in after.values() if one.auto_scheduled and one.expected_start_time > moment]
    assert all(one.state.is_scheduled() for one in early)


def test_a_late_run_after_that_asks_nothing_and_one_by_hand_works(hourly: Deployed) -> None:
    moment = datetime.now(UTC)
    assert hourly.execute(hourly.by_hand()).state.name == "Complete"
    hourly.backfill(moment - timedelta(hours=3), moment - timedelta(hours=1))
    late = next(one for one in hourly.runs() if one.auto_scheduled)
    hourly.practice.healthie.reset()

    skipped = hourly.execute(late)

    assert (skipped.state.type.value, skipped.state.name) == ("COMPLETED", "CaughtUp")
    assert (
        f"due at {late.expected_start_time:%Y-%m-%d %H:%M:%S} UTC, caught up by run r"
        in skipped.state.message
    )
    assert hourly.practice.healthie.requests()["count"] == 0
    assert ran(hourly) == 1
    assert hourly.execute(hourly.by_hand()).state.name == "Complete"
    assert ran(hourly) == 2


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (CronSchedule(cron="*/5 * * * *", timezone="UTC"), "needs one minute from 0 to 59"),
        (IntervalSchedule(interval=timedelta(minutes=1)), "interval is not supported"),
        (CronSchedule(cron="0 6 1 * *", timezone="UTC"), "emit: last-week-of-month"),
    ],
)
def test_a_schedule_changed_to_an_unsupported_one_is_refused(
    hourly: Deployed, schedule: CronSchedule | IntervalSchedule, said: str
) -> None:
    hourly.change(schedule)
    hourly.practice.healthie.reset()

    refused = hourly.execute(hourly.by_hand())

    assert refused.state.is_failed()
    assert "schedule_unsupported: acme/simple: schedule" in refused.state.message
    assert said in refused.state.message
    assert "ferry deploy acme" in refused.state.message
    assert len(refused.state.message.splitlines()) == 1
    assert hourly.practice.healthie.requests()["count"] == 0
    assert ran(hourly) == 0


@pytest.fixture
def two_tenants(hourly: Deployed, tmp_path: Path) -> Deployed:
    """Beside the tenant whose deployment it is there is another one, with the same integration."""
    files = shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    shutil.copytree(files / "acme", files / "beta")
    hourly.practice.extra = {"FERRY_DEPLOYMENTS": str(files)}
    hourly.practice.healthie.reset()
    return hourly


def assert_another_tenant_is_refused(here: Deployed, run: FlowRun) -> None:
    refused = here.execute(run)

    assert refused.state.is_failed()
    assert "another_tenant: beta/simple: the deployment acme-simple-" in refused.state.message
    assert "has no tag tenant:beta; run one of that tenant" in refused.state.message
    assert len(refused.state.message.splitlines()) == 1
    assert here.practice.healthie.requests()["count"] == 0
    assert ran(here) == 0


def test_a_schedule_cannot_run_another_tenant(two_tenants: Deployed) -> None:
    moment = datetime.now(UTC)
    two_tenants.change(CronSchedule(cron="0 * * * *", timezone="UTC"), tenant="beta")
    two_tenants.backfill(moment - timedelta(hours=2), moment - timedelta(hours=1))
    made = next(one for one in two_tenants.runs() if one.auto_scheduled)
    assert made.parameters == {"integration": {"tenant": "beta", "integration": "simple"}}

    assert_another_tenant_is_refused(two_tenants, made)


def test_a_person_cannot_run_another_tenant_in_a_tenants_deployment(two_tenants: Deployed) -> None:
    assert_another_tenant_is_refused(two_tenants, two_tenants.by_hand(tenant="beta"))


@pytest.mark.parametrize(("beside", "weekday"), [([], 4), ([MONDAY], 0)])
def test_a_schedule_that_is_switched_off_says_when_weeks_begin_only_alone(
    hourly: Deployed, beside: list[CronSchedule], weekday: int
) -> None:
    hourly.change(FRIDAY, active=False)
    for one in beside:
        hourly.client.create_deployment_schedules(hourly.id, [(one, True)])

    done = hourly.execute(hourly.by_hand(emit="last-week-of-month"))

    assert done.state.name == "Complete", done.state.message
    ((begins,),) = hourly.practice.ledger("SELECT begins FROM emission")
    assert date.fromisoformat(str(begins)).weekday() == weekday


@pytest.mark.parametrize(
    ("cron", "timezone", "day"),
    [
        ("30 * * * *", NEW_YORK, datetime(2026, 3, 7, 17, tzinfo=UTC)),
        ("30 * * * *", NEW_YORK, datetime(2026, 10, 31, 17, tzinfo=UTC)),
        ("30 2 * * *", NEW_YORK, datetime(2026, 3, 7, 17, tzinfo=UTC)),
        ("45 * * * *", LORD_HOWE, datetime(2026, 4, 4, 3, tzinfo=UTC)),
        ("15 */6 * * *", LORD_HOWE, datetime(2026, 10, 3, 3, tzinfo=UTC)),
    ],
)
def test_the_servers_scheduler_makes_the_moments_that_we_count(
    hourly: Deployed, cron: str, timezone: str, day: datetime
) -> None:
    hourly.change(CronSchedule(cron=cron, timezone=timezone))
    until = day + timedelta(days=1, hours=12)

    hourly.backfill(day, until - timedelta(seconds=1))

    made = [one.expected_start_time for one in hourly.runs()]
    past = [one.timestamp() for one in made if one is not None and one.timestamp() < until.timestamp()]
    counted = moments(parse({"cron": cron, "timezone": timezone}), day, until)
    assert past == [one.timestamp() for one in counted]
