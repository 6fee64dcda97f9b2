"""Runs of the real engine into HubSpot: what they read besides what they write."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn as HealthieStandIn
from connectors.sandbox.hubspot import Remote
from connectors.sandbox.probe import ProbeServer
from connectors.sandbox.proxy import Proxy
from tests.connectors.deploying import LABEL, deployed
from tests.connectors.every import World
from tests.connectors.hubspot.case import CASES
from tests.faults.test_kill_at_every_point import PATIENTS, rename
from tests.faults.world import Practice


@pytest.fixture
def healthie() -> Iterator[HealthieStandIn]:
    with HealthieStandIn(6, seed=3) as stand_in:
        yield stand_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with CASES[0].opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def practice(
    world: World, healthie: HealthieStandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> Practice:
    named = deployed(CASES[0], world, tmp_path / "deployments")
    extra = {**named, "FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    made = Practice(healthie, probe, prefect, tmp_path, ledger, label=LABEL, extra=extra)
    rename(made, "Before")
    return made


def proxy(world: World) -> Proxy:
    assert isinstance(world.proxy, Proxy)
    return world.proxy


def test_what_hubspots_answers_show_is_read_back_without_a_request_of_its_own(
    world: World, practice: Practice
) -> None:
    assert practice.run() == 0
    assert proxy(world).count(path="/batch/read") == 1  # in a first run, which is one over everyone
    rename(practice, "After")
    proxy(world).forget()

    assert practice.run() == 0
    assert proxy(world).count(path="/batch/read") == 1
    runs = [json.loads(str(counts)) for (counts,) in practice.ledger("SELECT counts FROM run")]
    assert [run["read_back"] for run in runs] == [PATIENTS, PATIENTS]


def test_what_is_changed_behind_the_answer_is_found_by_a_run_over_everyone(
    world: World, practice: Practice
) -> None:
    host, port = proxy(world).behind

    def spoil() -> None:
        with closing(Remote(f"http://{host}:{port}")) as portal:
            portal.edit("1001", full_name="Somebody")

    proxy(world).before(1, spoil, path="/batch/read")

    assert practice.run() == 1
    assert practice.ledger("SELECT code FROM delivery WHERE state = 'rejected'") == [("read_back_differs",)]
