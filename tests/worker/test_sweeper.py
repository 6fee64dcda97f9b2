"""Which flow runs the sweeper ends, and which it leaves: against a real server and real ledgers."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import JsonValue

from flows.errors import ServerUnavailable
from flows.ledger import lease, runs
from flows.ledger.plans import Versions
from flows.ledger.store import Ledger
from flows.ledger.tables import LEASE, RUN
from flows.settings import Settings
from flows.sweeper import Swept, sweep
from tests.flows.ledgers import open_at
from tests.worker.site import Json, Site

LEASE_SECONDS = 0.0  # a flow run is old enough for a verdict at once
LONG = 3600.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_at(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path, name=f"i{uuid.uuid4().hex[:8]}")
    yield opened
    opened.close()


def flow_run(
    site: Site, ledger: Ledger, type_: str = "RUNNING", environment: str = "", **asked: JsonValue
) -> str:
    """A flow run that nobody executes, in the state that a process left it in."""
    flow = site.post("flows/", name="sync")
    assert isinstance(flow, dict)
    integration: Json = {"tenant": ledger.tenant, "integration": ledger.name, **asked}
    tags: list[JsonValue] = [f"environment:{environment}"] if environment else []
    made = site.post("flow_runs/", flow_id=flow["id"], parameters={"integration": integration}, tags=tags)
    assert isinstance(made, dict)
    site.post(f"flow_runs/{made['id']}/set_state", state={"type": type_}, force=True)
    return str(made["id"])


@contextmanager
def working(ledger: Ledger, flow_run: str, run: str) -> Iterator[None]:
    """A run that has the lease and has begun."""
    ledger.flow_run, ledger.lease_seconds = flow_run, LONG
    lease.take(ledger, run)
    runs.begin(ledger, "changes", Versions(instructions="i", policy="p"))
    yield


def swept(site: Site, ledger: Ledger, seconds: float = LEASE_SECONDS) -> list[Swept]:
    with temporary_settings({PREFECT_API_URL: site.prefect["PREFECT_API_URL"]}):
        settings = Settings(lease_seconds=seconds, env="here", deployments=site.deployments)
        found = list(sweep(ledger.engine, settings))
    return [one for one in found if one.asked.integration == ledger.name]


def expire(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(LEASE).values(expires=0.0))


def test_who_works_is_left_alone(site: Site, ledger: Ledger) -> None:
    with working(ledger, flow_run(site, ledger), "r1"):
        assert swept(site, ledger) == []


def test_who_lost_the_lease_is_ended_and_the_next_run_named(site: Site, ledger: Ledger) -> None:
    dead = flow_run(site, ledger)
    with working(ledger, dead, "r1"):
        expire(ledger)

    assert [one.flow_run for one in swept(site, ledger)] == [dead]
    state = site.state(dead)
    assert (state["type"], state["name"]) == ("CRASHED", "Crashed")
    next_run = f"the next run of {ledger.tenant}/{ledger.name} takes over"
    assert state["message"] == f"cut_off: run r1 was ended from outside and lost its lease; {next_run}"
    assert swept(site, ledger) == []


def test_a_run_that_took_over_is_named(site: Site, ledger: Ledger) -> None:
    dead, heir = flow_run(site, ledger), flow_run(site, ledger)
    with working(ledger, dead, "r1"):
        expire(ledger)
    with working(ledger, heir, "r2"):
        assert [one.flow_run for one in swept(site, ledger)] == [dead]

    assert "run r2 takes over" in str(site.state(dead)["message"])
    assert site.state(heir)["type"] == "RUNNING"


def test_one_without_a_run_in_the_ledger_gets_a_lease_time_to_begin(site: Site, ledger: Ledger) -> None:
    young = flow_run(site, ledger)

    assert swept(site, ledger, seconds=LONG) == []
    assert [one.flow_run for one in swept(site, ledger)] == [young]


def test_one_that_has_ended_gets_a_lease_time_to_say_so(site: Site, ledger: Ledger) -> None:
    silent = flow_run(site, ledger)
    with working(ledger, silent, "r1"):
        runs.end(ledger, "complete", "", {}, {})
        lease.give_back(ledger)
    assert swept(site, ledger, seconds=LONG) == []
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(RUN).values(ended=datetime.now(UTC) - timedelta(seconds=2 * LONG)))

    assert [one.message for one in swept(site, ledger, seconds=LONG)] == [
        "cut_off: run r1 ended (complete), and its process before it could say so here"
    ]


@pytest.mark.parametrize(("type_", "asked"), [("PENDING", {}), ("RUNNING", {"dry_run": True})])
def test_what_is_pending_or_dry_is_not_measured_by_the_lease(
    site: Site, ledger: Ledger, type_: str, asked: dict[str, JsonValue]
) -> None:
    flow_run(site, ledger, type_, **asked)

    assert swept(site, ledger) == []


def test_another_installations_and_other_flows_are_left_alone(
    site: Site, ledger: Ledger, tmp_path: Path
) -> None:
    theirs = open_at(f"sqlite:///{tmp_path / 'theirs.db'}", tmp_path, name=ledger.name + "x")
    foreign = flow_run(site, theirs)
    flow = site.post("flows/", name="something else")
    assert isinstance(flow, dict)
    other = site.post("flow_runs/", flow_id=flow["id"], parameters={})
    assert isinstance(other, dict)
    site.post(f"flow_runs/{other['id']}/set_state", state={"type": "RUNNING"}, force=True)

    swept(site, ledger)

    assert [site.state(str(one))["type"] for one in (foreign, other["id"])] == ["RUNNING", "RUNNING"]
    theirs.close()


def test_a_run_of_another_environment_is_left_alone_though_this_ledger_has_the_same_integration(
    site: Site, ledger: Ledger
) -> None:
    theirs, ours = flow_run(site, ledger, environment="there"), flow_run(site, ledger, environment="here")

    assert [one.flow_run for one in swept(site, ledger)] == [ours]
    assert site.state(theirs)["type"] == "RUNNING"


def test_a_first_run_that_died_before_the_ledger_knew_its_integration_is_ended(
    site: Site, ledger: Ledger
) -> None:
    unknown = flow_run(site, ledger, integration=f"{ledger.name}-new")
    assert swept(site, ledger) == [] and site.state(unknown)["type"] == "RUNNING"
    site.tenant(ledger.tenant)

    swept(site, ledger, seconds=LONG)
    assert site.state(unknown)["type"] == "RUNNING"
    swept(site, ledger)

    state = site.state(unknown)
    assert state["type"] == "CRASHED"
    assert str(state["message"]).startswith(
        "cut_off: its process ended before it began to work; the next run"
    )


def test_task_runs_it_left_are_ended_too(site: Site, ledger: Ledger) -> None:
    dead = flow_run(site, ledger)
    task: Json = {"flow_run_id": dead, "task_key": "decide", "dynamic_key": "0", "state": {"type": "RUNNING"}}
    site.post("task_runs/", **task)

    swept(site, ledger)

    assert [one["state_type"] for one in site.task_runs(dead)] == ["CRASHED"]


def test_a_server_that_does_not_answer_is_one_line(ledger: Ledger) -> None:
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(ServerUnavailable, match=r"prefect: the server at \S+ does not answer \(Connect"),
    ):
        list(sweep(ledger.engine, Settings(lease_seconds=LONG)))
