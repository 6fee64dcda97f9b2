"""Runs of one integration never overlap, whoever starts them; one tenant's trouble is not another's."""

import os
import signal
from collections.abc import Callable

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import Faults, ProbeServer, Scripted
from tests.faults.terminal import ferry
from tests.faults.test_kill_at_every_point import rename
from tests.faults.world import Tally, tally
from tests.worker.processes import flow_processes, kill
from tests.worker.site import Site, paused, until

Systems = Callable[[], tuple[StandIn, ProbeServer]]
HANG = 30.0  # seconds, for each of the target's first answers


@pytest.mark.timeout(900)
def test_of_runs_that_anybody_starts_one_goes_and_the_others_say_why_not(
    site: Site, systems: Systems
) -> None:
    healthie, probe = systems()
    site.tenant("north", "everything")
    site.reaches("north", (healthie.endpoint, healthie.api_key), probe.url)
    assert site.deploy("north").returncode == 0
    here = site.practice("north", "everything", healthie, probe)
    expected = rename(here, "Once")
    for name in ("first", "second"):
        site.worker(name)
    going = site.ask(
        "north-everything",
        FERRY_CRASH_AT="before journal",
        FERRY_CRASH_SIGNAL="SIGSTOP",
        FERRY_LEASE_SECONDS="900",
    )
    pid = paused(site, going)

    by_worker = site.ended(site.ask("north-everything-again"))
    by_prefect = site.ended(site.ask("north-everything"))
    by_hand = ferry(here, "run", "north/everything")
    os.kill(pid, signal.SIGCONT)

    assert (by_worker["type"], by_worker["name"]) == ("CANCELLED", "AlreadyRunning")
    assert str(by_worker["message"]).startswith("lease_held: north/everything: run r")
    assert len(str(by_worker["message"]).splitlines()) == 1
    assert by_prefect["type"] == "CANCELLED"
    assert by_hand.code == 1
    assert "is already going" in by_hand.err
    assert len(by_hand.err.strip().splitlines()) == 1
    assert site.ended(going)["name"] == "Complete"
    assert tally(here, expected) == Tally([], [], [])
    assert here.ledger("SELECT count(*) FROM run") == [(1,)]


@pytest.mark.timeout(900)
def test_a_target_that_hangs_holds_up_its_own_tenant_alone(site: Site, systems: Systems) -> None:
    for tenant in ("slow", "well"):
        healthie, probe = systems()
        site.tenant(tenant, "everything")
        site.reaches(tenant, (healthie.endpoint, healthie.api_key), probe.url)
        assert site.deploy(tenant).returncode == 0
        if tenant == "slow":
            patient = site.deployments / tenant / "tenant.yaml"
            patient.write_text(patient.read_text().replace('timeout: "0.5"', 'timeout: "60"'))
            script = tuple(Scripted(request=at, fault="hang_after") for at in range(1, 100))
            probe.set_faults(Faults(script=script, hang=HANG))
            hanging = probe
        else:
            here = site.practice(tenant, "everything", healthie, probe)
    site.worker("only")
    slow = site.ask("slow-everything")
    until(lambda: hanging.requests() > 0, "a write that hangs")

    assert site.ended(site.ask("well-everything"))["name"] == "Complete"

    assert site.state(slow)["type"] == "RUNNING"
    assert len(here.rows()) > 0
    for pid in flow_processes(slow):
        kill(pid)
    assert site.ended(slow)["type"] == "CRASHED"
