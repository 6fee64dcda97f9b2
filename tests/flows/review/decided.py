"""A stage of the shipped demo, decided by its own program, with what it was decided on kept."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.plan import Plan
from flows import golden, proving
from flows.declared import declared
from flows.ledger import deliveries, entries, lease, plans, runs, stages
from flows.ledger.plans import Decided, Versions
from flows.ledger.store import Ledger
from flows.run import version_of
from flows.settings import Settings
from flows.tenants import Deployment, load
from tests.flows.ledgers import open_at

SHIPPED = Path(__file__).parents[3] / "deployments"
LABEL = "demo/warehouse"
OPERATION = "warehouse_upsert_patients"
REFUSED = ("archived", "lapsed")  # of whom deliveries are held


def settings(folder: Path) -> Settings:
    """Of a copy of the shipped files, in which nothing is approved yet."""
    root = folder / "deployments"
    if not root.exists():
        root.mkdir()
        shutil.copytree(SHIPPED / "demo", root / "demo")
        shutil.copy(SHIPPED / "models.yaml", root)
        (root / LABEL / "approval.yaml").unlink()
    return Settings(home=folder, env="local", deployments=root)


@contextmanager
def stage(folder: Path) -> Iterator[tuple[Settings, Deployment, Ledger]]:
    """One run over the golden examples as if they were patients; each patient is the example's name."""
    made = settings(folder)
    deployment = load(made.deployments, LABEL)
    ledger = open_at(
        f"sqlite:///{folder / 'ledger.db'}",
        folder / "keys",
        stages.named("warehouse"),
        tenant="demo",
        environment="local",
        key=stages.key_name("demo", "warehouse", 1),
    )
    try:
        lease.take(ledger, "r20261128120000aaaaaa")
        stages.begin(ledger)
        versions = Versions(version_of(deployment), "p", deployment.manifest.paths)
        runs.begin(ledger, "changes", versions)
        number = _decide(ledger, deployment, made.deployments / LABEL, versions)
        runs.end(ledger, "incomplete", "held", {"listed": number, "planned": number}, {})
        lease.give_back(ledger)
        yield made, deployment, ledger
    finally:
        ledger.close()


def _decide(ledger: Ledger, deployment: Deployment, folder: Path, versions: Versions) -> int:
    cases = [one.case(name) for name, one in golden.load(folder).items()]
    known = entries.known(ledger, [case.patient for case in cases])
    with closing(proving.decider_for(deployment, {}, "program", None)) as decider:
        decisions = decider.decide(cases)
    decided = [
        Decided(known[case.patient], f"f-{case.patient}", decision, kept=case)
        for case, decision in zip(cases, decisions, strict=True)
    ]
    writes = declared(deployment)[0]
    for held in ("", "too_many_creates"):
        part = [one for one in decided if (one.known.patient in REFUSED) == bool(held)]
        plans.journal(ledger, part, versions, writes, held)
    assert all(isinstance(one.outcome, Plan) for one in decisions)
    for one in deliveries.due(ledger, OPERATION, ["planned"], len(cases)):
        deliveries.mark_sent(ledger, [one], {one.item.key: None})
    return len(cases)


def key_of(ledger: Ledger, patient: str) -> str:
    """The delivery of a patient's write."""
    for state in ("planned", "sent", "done", "held"):
        for one in deliveries.due(ledger, OPERATION, [state], 100):
            if one.item.patient == patient:
                return one.item.key
    raise AssertionError(f"{patient} has no delivery")


def ref_of(ledger: Ledger, patient: str) -> str:
    return entries.known(ledger, [patient])[patient].ref
