"""Whole runs by a model: budgets that hold over runs and days, another model, batches."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.sandbox.healthie.edits import Edit
from tests.agent.batch_server import Batches, batches
from tests.agent.openai_server import Body, Endpoint, Reply, serving, submits
from tests.faults.scenes import awake, rename
from tests.faults.world import DEPLOYMENTS, Practice, Tally, tally

Make = Callable[[str], Practice]
OPERATIONS: dict[str, dict[str, str]] = {
    "warehouse_upsert_patients": {"full_name": "@last_name", "email": "@email"},
    "probe_keyed_charge": {"amount": "=1250", "memo": "@last_name"},
    "probe_upsert_contact": {"last_name": "@last_name"},
    "probe_create_order": {"product": "@last_name"},
    "probe_send_event": {"name": "@last_name"},
    "healthie_set_metadata": {"name": "=surname", "value": "@last_name"},
}


def plan(record: str) -> Any:
    """What the instructions ask for, of an entry with or without an e-mail address."""
    there = "@email: <present>" in record
    calls = [
        {"op": op, "because": ["S1"], "arguments": {k: v for k, v in given.items() if there or k != "email"}}
        for op, given in OPERATIONS.items()
    ]
    return {"kind": "write", "calls": calls}


def behaving(body: Body) -> Reply:
    return submits(plan(str(body["messages"][-1]["content"])))


def batched(body: Body) -> Any:
    return plan(next(str(one["content"]) for one in body["input"] if one.get("role") == "user"))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(behaving) as served:
        yield served


@pytest.fixture
def batching() -> Iterator[Batches]:
    with batches(batched) as served:
        yield served


def by_model(practice: Make, folder: Path, url: str, **deciding: Any) -> Practice:
    """A practice whose entries a model decides, on other terms than the written ones."""
    shutil.copytree(DEPLOYMENTS, folder / "deployments")
    path = folder / "deployments" / "acme" / "modelled" / "integration.yaml"
    content = yaml.safe_load(path.read_text())
    content["decide"] |= deciding
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    made = practice("practice")
    made.label = "acme/modelled"
    made.extra |= {"TEST_MODEL_URL": url, "TEST_MODEL_KEY": "test-key"}
    made.extra |= {"FERRY_DEPLOYMENTS": str(folder / "deployments")}
    awake(made)
    made.healthie.apply([Edit(id=one, values={"metadata": None}) for one in made.healthie.ids()])
    made.healthie.reset()
    return made


def waiting(here: Practice) -> Counter[str]:
    return Counter(str(code) for (code,) in here.ledger("SELECT code FROM entry WHERE code <> ''"))


def test_a_run_stops_asking_at_its_budget_and_the_next_one_goes_on(
    practice: Make, endpoint: Endpoint, tmp_path: Path
) -> None:
    here = by_model(practice, tmp_path, endpoint.url, budget={"run": {"requests": 4}})
    expected = rename(here, "Frugal")

    assert here.run() == 3
    assert len(endpoint.bodies) == 4
    assert waiting(here) == {"budget_reached:run": 2}
    assert here.run() == 0
    assert len(endpoint.bodies) == 6
    assert tally(here, expected) == Tally([], [], [])
    assert here.ledger("SELECT requests, tokens, micro_usd FROM spending") == [(6, 6 * 960, 6 * 1020)]
    [(counts,)] = here.ledger("SELECT counts FROM run ORDER BY started DESC LIMIT 1")
    assert '"model_tokens": 1920' in str(counts) and '"model_micro_usd": 2040' in str(counts)


def test_what_a_day_may_cost_holds_over_its_runs(practice: Make, endpoint: Endpoint, tmp_path: Path) -> None:
    here = by_model(practice, tmp_path, endpoint.url, budget={"day": {"requests": 4}})
    expected = rename(here, "Daily")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    assert [here.run(), here.run()] == [3, 3]
    assert len(endpoint.bodies) == 4
    assert waiting(here) == {"budget_reached:day": 2}
    assert here.run(TEST_MOMENT=tomorrow) == 0
    assert len(endpoint.bodies) == 6
    assert tally(here, expected) == Tally([], [], [])
    assert here.ledger("SELECT requests FROM spending ORDER BY day") == [(4,), (2,)]


def test_an_answer_of_another_model_stops_the_run_and_nothing_of_it_is_written(
    practice: Make, endpoint: Endpoint, tmp_path: Path
) -> None:
    here = by_model(practice, tmp_path, endpoint.url)
    expected = rename(here, "Pinned")
    before = here.probe.effects()
    other = behaving({"messages": [{"content": ""}]}).payload.replace(b"test-model", b"better-model")
    endpoint.model = lambda body: Reply(payload=other)

    assert here.run() == 1
    assert len(endpoint.bodies) <= 4  # those that were on their way at once
    assert here.ledger("SELECT state, code FROM run") == [("failed", "model_differs")]
    assert here.probe.effects() == before and here.rows() == {}

    endpoint.model = behaving
    assert here.run() == 0
    assert tally(here, expected) == Tally([], [], [])


def test_a_run_in_batches_asks_once_for_all_of_a_page(
    practice: Make, batching: Batches, tmp_path: Path
) -> None:
    quick = {"gather": "PT0.3S", "look_every": "PT0.1S", "within": "PT60S"}
    here = by_model(practice, tmp_path, batching.url, by="openai-responses:test", batch=quick)
    expected = rename(here, "Batched")

    assert here.run() == 0
    assert [len(batch) for batch in batching.batches] == [6] and batching.single == []
    assert tally(here, expected) == Tally([], [], [])
    assert here.ledger("SELECT requests, micro_usd FROM spending") == [(6, 6 * 1020 // 2)]
    assert here.run("sweep") == 0
    assert len(batching.batches) == 1
