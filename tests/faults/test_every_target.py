"""kill -9 at random moments while 15 % of a target's requests go wrong: for every connector with tables.

A failure names its kill: FERRY_SEED=<number> runs that one alone, FERRY_SEED=12:40 a range of them.
"""

import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from connectors.sandbox.faults import RandomFaults, Trouble
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.sandbox.wire import WIRE, Wire
from tests.campaign import FULL
from tests.connectors.deploying import LABEL, column_of, deployed
from tests.connectors.every import Case, World, cases
from tests.faults.conftest import MakeLedger
from tests.faults.test_kill_at_every_point import rename
from tests.faults.test_random_kills import SOONEST, run_and_kill, seconds_of_a_run
from tests.faults.world import Practice

KILLS = 100 if FULL else 2
RATE = 0.15
FIRST, _, LAST = os.environ.get("FERRY_SEED", f"0:{KILLS}").partition(":")
SEEDS = range(int(FIRST), int(LAST or int(FIRST) + 1))
TARGETS = [one for one in cases() if not one.excused("test_killed_at_random_moments")]


@pytest.mark.timeout(len(SEEDS) * 60 + 180)
@pytest.mark.parametrize("case", TARGETS, ids=[one.name for one in TARGETS])
def test_killed_at_random_moments(
    case: Case,
    healthie: StandIn,
    probe: ProbeServer,
    prefect: Mapping[str, str],
    ledger: MakeLedger,
    tmp_path: Path,
) -> None:
    kills = 0
    folder, place = tmp_path / "home", tmp_path / "world"
    folder.mkdir()
    place.mkdir()
    with case.opened(place) as world:
        named = deployed(case, world, tmp_path / "deployments")
        extra = {**named, "FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
        here = Practice(healthie, probe, prefect, folder, ledger(folder), label=LABEL, extra=extra)
        rename(here, "Before")  # whoever is archived was so before the first run
        longest = seconds_of_a_run(here)
        for seed in SEEDS:
            expected = rename(here, f"{case.name.title().replace('-', '')}{seed}x")
            _disturb(world, seed)
            kills += run_and_kill(here, random.Random(seed).uniform(SOONEST, longest))
            here.run()  # once more with faults, to its end
            _calm(world)
            codes = here.until_settled()

            held, again = _held(world), f"replay with FERRY_SEED={seed}"
            assert codes[-1] == 0, again
            assert {one: held.get(one) for one in expected} == expected, again
            assert {one: values for one, values in held.items() if len(values) > 1} == {}, again

    assert kills >= len(SEEDS) * 0.4


def _disturb(world: World, seed: int) -> None:
    if world.proxy is None:
        return
    if isinstance(world.proxy, Wire):
        troubles = cast(tuple[Trouble, ...], WIRE)
        world.proxy.faults(at_random=RandomFaults(rate=RATE, seed=seed, troubles=troubles))
    else:
        world.proxy.faults(at_random=RandomFaults(rate=RATE, seed=seed))


def _calm(world: World) -> None:
    if world.proxy is not None:
        world.proxy.faults()


def _held(world: World) -> dict[str, list[object]]:
    """The column's values by patient: one each, or something was lost or doubled."""
    column = column_of(world)
    found: dict[str, list[object]] = {}
    for record in world.records(world.samples[0].write):
        found.setdefault(str(record["patient"]), []).append(record.get(column))
    return found
