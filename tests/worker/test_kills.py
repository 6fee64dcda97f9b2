"""kill -9 of the flow's process, and of the worker with it: the next run takes over without a person.

Nothing is lost, nothing doubled, and no flow run stays Running longer than two lease times.
"""

import time
from collections.abc import Callable

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from tests.campaign import FULL
from tests.faults.test_kill_at_every_point import rename
from tests.faults.world import Tally, tally
from tests.worker.processes import kill
from tests.worker.site import Site, paused, until

KILLS = 12 if FULL else 3
LEASE = 5.0  # seconds
TOLD = 3.0  # seconds: a sweep begins every half lease, and a busy machine takes its time for it
NAME = "north-everything"
Systems = Callable[[], tuple[StandIn, ProbeServer]]


@pytest.mark.timeout(KILLS * 180 + 300)
def test_a_killed_flow_is_taken_over_by_the_next_run(site: Site, systems: Systems) -> None:
    healthie, probe = systems()
    site.tenant("north", "everything")
    site.reaches("north", (healthie.endpoint, healthie.api_key), probe.url)
    site.extra["FERRY_LEASE_SECONDS"] = str(LEASE)
    assert site.deploy("north").returncode == 0
    here = site.practice("north", "everything", healthie, probe)
    worker, seconds = site.worker("first"), list[float]()
    site.sweeper(LEASE / 2)
    for number in range(KILLS):
        expected = rename(here, f"Killed{number}x")
        killed = site.ask(NAME, FERRY_CRASH_AT=str(4 + 3 * number), FERRY_CRASH_SIGNAL="SIGSTOP")
        pid = paused(site, killed)
        alone = number % 2 == 0  # nobody is left who saw it die
        if alone:
            worker.kill()
        kill(pid)
        seconds.append(dead_until_told(site, killed))
        message = str(site.state(killed)["message"])
        assert site.state(killed)["type"] == "CRASHED", message
        if alone:
            assert "takes over" in message
            worker = site.worker(f"worker{number}")

        names = [site.ended(site.ask(NAME))["name"]]
        while names[-1] != "Complete" and len(names) < 4:  # orders in doubt wait for the target's horizon
            names.append(site.ended(site.ask(NAME))["name"])

        assert tally(here, expected) == Tally([], [], []), number
        assert here.ledger("SELECT count(*) FROM run WHERE state = 'running'") == [(0,)]

    print(f"{KILLS} of {KILLS} taken over; not Running any more after", [f"{one:.1f}" for one in seconds])
    assert max(seconds) <= 2 * LEASE + TOLD


def dead_until_told(site: Site, flow_run: str) -> float:
    """Seconds from now until Prefect no longer shows it as running."""
    began = time.monotonic()
    until(lambda: site.state(flow_run)["type"] != "RUNNING" or None, "the end of a dead flow run")
    return time.monotonic() - began
