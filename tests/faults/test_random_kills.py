"""kill -9 at random moments while 15 % of the requests go wrong: nothing lost, nothing doubled.

A failure names its seed: FERRY_SEED=<seed> runs that trial again, FERRY_SEED=12:40 a range of them.
"""

import os
import random
import time
from collections.abc import Callable

import pytest

from connectors.sandbox.healthie.faults import RandomFaults
from connectors.sandbox.probe import Faults
from tests.campaign import FULL
from tests.faults.test_kill_at_every_point import rename
from tests.faults.world import Practice, Tally, tally

TRIALS = 200 if FULL else 12
RATE = 0.15
SOONEST = 0.3  # seconds after the start at which a run is killed, at least: before it nothing is done yet
KILLS = 2  # of one version, at most
FIRST, _, LAST = os.environ.get("FERRY_SEED", f"0:{TRIALS}").partition(":")
SEEDS = range(int(FIRST), int(LAST or int(FIRST) + 1))

Make = Callable[[str], Practice]


@pytest.mark.timeout(len(SEEDS) * 60 + 120)
def test_random_kills_and_faults_lose_and_double_nothing(practice: Make) -> None:
    kills, longest = 0, seconds_of_a_run(practice("undisturbed"))
    for seed in SEEDS:
        draw = random.Random(seed)
        here = practice(f"seed{seed}")
        expected = rename(here, f"Random{seed}x")
        here.healthie.faults(random=RandomFaults(rate=RATE, seed=seed, seconds=1.0))
        here.probe.set_faults(Faults(rate=RATE, seed=seed, hang=1.0))
        for _ in range(draw.randint(1, KILLS)):
            kills += run_and_kill(here, draw.uniform(SOONEST, longest))
        here.run()  # once more with faults, to its end
        here.healthie.faults()
        here.probe.set_faults(Faults())
        here.until_settled()

        assert tally(here, expected) == Tally([], [], []), f"replay with FERRY_SEED={seed}"

    assert kills >= len(SEEDS) * 0.5


def seconds_of_a_run(practice: Practice) -> float:
    """How long a run takes here and now where nothing disturbs it: kills are spread over that."""
    assert practice.run() == 0  # the first one of all waits until the engine is imported
    rename(practice, "Undisturbed")
    began = time.monotonic()
    assert practice.run() == 0
    return time.monotonic() - began


def run_and_kill(practice: Practice, after: float) -> int:
    """Start a run and kill it after so many seconds. 1 if it was still going."""
    engine = practice.engine()
    time.sleep(after)
    alive = engine.process.is_alive()
    if alive:
        engine.kill()
    engine.wait()
    return int(alive)
