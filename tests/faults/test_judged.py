"""A whole run with a program that asks: each question once, whatever is cut off, and no name leaves."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie.edits import Edit
from tests.agent.openai_server import Body, Endpoint, Reply, calls, serving
from tests.faults.scenes import awake, rename
from tests.faults.terminal import ferry
from tests.faults.world import Practice

Make = Callable[[str], Practice]
WORDS = ("My chest hurts", "A friend told me", "A leaflet", "Help, at once")


def judging(body: Body) -> Reply:
    words = body["messages"][-1]["content"]
    urgent = "chest" in words or "Help" in words
    return calls(("answer", {"response": "high" if urgent else "low"}))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(judging) as served:
        yield served


@pytest.fixture
def here(practice: Make, endpoint: Endpoint) -> Practice:
    made = practice("practice")
    made.label = "acme/judged"
    made.extra |= {"TEST_MODEL_URL": endpoint.url, "TEST_MODEL_KEY": "test-key"}
    awake(made)
    for at, one in enumerate(made.healthie.ids()):
        words = json.dumps({"channel": WORDS[at % len(WORDS)]}) if at % 5 else None
        made.healthie.apply([Edit(id=one, values={"metadata": words})])
    return made


def priorities(practice: Practice) -> dict[str, Any]:
    engine = sa.create_engine(f"sqlite:///{practice.folder / 'warehouse.db'}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT patient_id, priority FROM patients"))
        return {str(one): value for one, value in rows}


def test_a_judged_run_that_is_killed_asks_nothing_twice(here: Practice, endpoint: Endpoint) -> None:
    expected = rename(here, "Judged")
    asked = len({at % len(WORDS) for at in range(len(expected)) if at % 5}) + 1  # and one about nothing

    assert here.run(FERRY_CRASH_AT="after judgement") == -9
    assert here.ledger("SELECT count(*) FROM judgement") == [(1,)]
    assert here.ledger("SELECT count(*) FROM plan") == [(0,)]
    assert here.run() == 0
    assert here.ledger("SELECT count(*), min(sentence) FROM judgement") == [(asked, "S2")]
    prompts = [body["messages"][-1]["content"] for body in endpoint.requests()]
    assert len(set(prompts)) == asked
    assert len(prompts) <= 2 * asked - 1  # those under way at the kill are asked again

    found = priorities(here)
    assert set(found) == set(expected)
    assert set(found.values()) == {"high", "low"}
    sent = b"\n".join(endpoint.bodies).decode()
    assert [name for names in expected.values() for name in names if name in sent] == []
    assert "chest" in sent

    before = len(endpoint.bodies)
    assert here.run("resync") == 0
    assert len(endpoint.bodies) == before
    assert priorities(here) == found


def test_without_its_model_every_judged_entry_waits(here: Practice, endpoint: Endpoint) -> None:
    rename(here, "Waits")
    endpoint.model = lambda body: Reply(status=503)

    assert here.run() == 3
    assert here.rows() == {}
    codes = here.ledger("SELECT DISTINCT state, code, attempts FROM entry")
    assert codes == [("quarantined", "model_unavailable", 0)]

    endpoint.model = judging
    assert here.run() == 0
    assert len(here.rows()) == len(here.healthie.ids())


def test_a_judge_of_another_version_ends_the_run_and_is_named(here: Practice, endpoint: Endpoint) -> None:
    rename(here, "Pinned")
    endpoint.model = lambda body: Reply(payload=judging(body).payload.replace(b"test-model", b"better-model"))

    said = ferry(here, "run", here.label)

    assert said.code == 1 and here.rows() == {}
    assert (
        "acme/judged: openai-compatible:test answers as another version than models.yaml allows" in said.err
    )
