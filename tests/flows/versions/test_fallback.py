"""A fallback decides what the first model does not answer, and explain names who decided."""

import shutil
from collections.abc import Callable
from pathlib import Path

from flows import approval
from flows.approval import Signed
from flows.tenants import load
from tests.agent.openai_server import Body, Reply, serving, submits
from tests.faults.scenes import rename
from tests.faults.terminal import ferry
from tests.faults.test_hostile_model import GOOD
from tests.faults.world import DEPLOYMENTS, Practice, tally
from tests.flows.tenants.proofs import proved
from tests.flows.tenants.test_approval import TODAY

Make = Callable[[str], Practice]
LABEL = "acme/modelled"
SECOND = "openai-compatible:second"


def model(body: Body) -> Reply:
    return submits(GOOD) if body["model"] == "second" else Reply(status=503)


def test_the_fallback_steps_in_and_is_named(practice: Make, tmp_path: Path) -> None:
    root = tmp_path / "deployments"
    shutil.copytree(DEPLOYMENTS, root)
    path = root / LABEL / "integration.yaml"
    path.write_text(
        path.read_text().replace("  connection: model", f"  connection: model\n  fallback: {SECOND}")
    )
    proved(path.parent, SECOND, repeats=8)
    of = load(root, LABEL)
    approval.approve(
        path.parent, of.integration, of.connections, Signed("Ana", "Ben", TODAY), production=False
    )
    here = practice("fallback")
    here.label = LABEL
    expected = rename(here, "Fallback")
    with serving(model) as endpoint:
        reached = {"TEST_MODEL_URL": endpoint.url, "TEST_MODEL_KEY": "k"}
        here.extra = {"FERRY_DEPLOYMENTS": str(root), **reached}

        assert here.run() == 0

        asked = [body["model"] for body in endpoint.requests()]
    assert tally(here, expected).lost == []
    assert here.ledger("SELECT DISTINCT by FROM plan") == [(SECOND,)]
    assert asked.count("test") >= 6 and asked.count("second") == 6
    told = ferry(here, "explain", LABEL, here.healthie.ids()[0]).out
    assert f"full_name ← @last_name by S1 (model {SECOND})" in told
