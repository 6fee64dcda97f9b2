"""Replay where a program asks: what was judged answers the questions of its own version alone."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.agent.openai_server import Body, Endpoint, Reply, calls, serving
from tests.faults.scenes import awake
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.versions.conftest import beside, last_run

Make = Callable[[str], Practice]
ASKS, ASKS_OTHERWISE = "Do these words sound like an emergency?", "Do these words sound harmless?"


def judging(body: Body) -> Reply:
    """Urgent words: high is whether they sound so, or whether they do not."""
    asked = body["messages"][-1]["content"]
    high = ("chest" in asked) == (ASKS in asked)
    return calls(("answer", {"response": "high" if high else "low"}))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(judging) as served:
        yield served


@pytest.fixture
def judged(practice: Make, endpoint: Endpoint, tmp_path: Path) -> Practice:
    """A practice whose patients came in pain, or not."""
    made = practice("judged")
    made.label = "acme/judged"
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    made.extra |= {"TEST_MODEL_URL": endpoint.url, "TEST_MODEL_KEY": "test-key", "FERRY_QUIET": "1"}
    made.extra |= {"FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
    awake(made)
    for at, one in enumerate(made.healthie.ids()):
        words = json.dumps({"channel": "My chest hurts" if at % 2 else "A leaflet"})
        made.healthie.apply([Edit(id=one, values={"metadata": words})])
    return made


def test_another_version_asks_its_own_questions(judged: Practice, endpoint: Endpoint, tmp_path: Path) -> None:
    folder, number = tmp_path / "deployments" / "acme" / "judged", len(judged.healthie.ids())
    program = (folder / "program.py").read_text()
    beside(folder, program_py=program.replace(ASKS, ASKS_OTHERWISE))
    assert judged.run() == 0
    run, asked = last_run(judged), len(endpoint.bodies)
    kept = judged.ledger("SELECT count(*) FROM judgement")

    own = ferry(judged, "replay", run)
    assert own.code == 0 and f"{number}  decided as they were, byte for byte" in own.out, own.err
    assert len(endpoint.bodies) == asked
    other = ferry(judged, "replay", run, "--with", "next")

    assert other.code == 0 and f"{number}  decided otherwise" in other.out, other.out + other.err
    assert len(endpoint.bodies) > asked
    assert judged.ledger("SELECT count(*) FROM judgement") == kept
