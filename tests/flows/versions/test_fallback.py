"""A fallback decides what the first model does not answer, and explain names who decided."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import approval
from flows.approval import Signed
from flows.tenants import load
from tests.agent.openai_server import Body, Endpoint, Reply, serving, submits
from tests.faults.scenes import rename
from tests.faults.terminal import ferry
from tests.faults.test_hostile_model import GOOD
from tests.faults.world import DEPLOYMENTS, Practice, tally
from tests.flows.tenants.proofs import TODAY, proved

Make = Callable[[str], Practice]
LABEL = "acme/modelled"
SECOND = "openai-compatible:second"


def model(body: Body) -> Reply:
    return submits(GOOD) if body["model"] == "second" else Reply(status=503)


@pytest.fixture
def here(practice: Make, tmp_path: Path) -> Practice:
    """A practice whose model has an approved fallback."""
    root = tmp_path / "deployments"
    shutil.copytree(DEPLOYMENTS, root)
    models = root / "models.yaml"
    models.write_text(
        models.read_text()
        + f"{SECOND}: {{version: test-model, local: true, price: {{input: 1, output: 2}}}}\n"
    )
    made = practice("fallback")
    made.label = LABEL
    made.extra = {"FERRY_DEPLOYMENTS": str(root)}
    return made


def approved(here: Practice, more: str = "") -> None:
    root = Path(here.extra["FERRY_DEPLOYMENTS"])
    path = root / LABEL / "integration.yaml"
    named = f"  connection: model\n  fallback: {SECOND}\n{more}"
    path.write_text(path.read_text().replace("  connection: model\n", named))
    proved(path.parent, SECOND, repeats=8)
    of = load(root, LABEL)
    approval.approve(
        path.parent, of.integration, of.connections, Signed("Ana", "Ben", TODAY), production=False
    )


def reached(here: Practice, endpoint: Endpoint) -> None:
    here.extra |= {"TEST_MODEL_URL": endpoint.url, "TEST_MODEL_KEY": "k"}


def asked(endpoint: Endpoint) -> Counter[str]:
    return Counter(body["model"] for body in endpoint.requests())


def test_the_fallback_steps_in_and_is_named(here: Practice) -> None:
    approved(here)
    expected = rename(here, "Fallback")
    with serving(model) as endpoint:
        reached(here, endpoint)

        assert here.run() == 0

    assert tally(here, expected).lost == []
    assert here.ledger("SELECT DISTINCT by FROM plan") == [(SECOND,)]
    assert asked(endpoint)["test"] >= 6 and asked(endpoint)["second"] == 6
    told = ferry(here, "explain", LABEL, here.healthie.ids()[0]).out
    assert f"full_name ← @last_name by S1 (model {SECOND})" in told


def test_where_nothing_more_may_be_asked_the_fallback_is_not(here: Practice) -> None:
    approved(here, "  budget: {run: {requests: 2}}\n")
    rename(here, "Frugal")
    with serving(lambda body: submits(GOOD)) as endpoint:
        reached(here, endpoint)

        assert here.run() == 3

    assert asked(endpoint) == {"test": 2}
    assert here.ledger("SELECT DISTINCT code FROM entry WHERE code <> ''") == [("budget_reached:run",)]


@pytest.mark.parametrize(("other", "fallback"), [("test", 0), ("second", 1)])
def test_another_version_of_either_model_ends_the_run_and_is_named(
    other: str, fallback: int, here: Practice
) -> None:
    approved(here)
    rename(here, "Pinned")

    def differs(body: Body) -> Reply:
        if body["model"] == other:
            return Reply(payload=submits(GOOD).payload.replace(b"test-model", b"better-model"))
        return Reply(status=503, headers={"Retry-After": "0"})

    with serving(differs) as endpoint:
        reached(here, endpoint)
        said = ferry(here, "run", LABEL)

    assert said.code == 1 and here.rows() == {}
    assert f"openai-compatible:{other} answers as another version than models.yaml allows" in said.err
    assert bool(asked(endpoint)["second"]) == bool(fallback)
