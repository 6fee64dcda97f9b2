"""explain names for every written value: sentence, source fields, and who decided it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent.plan import Argument, Call, Decision, Plan, Source
from flows.declared import declared
from flows.explain import explain
from flows.ledger import entries, plans
from flows.ledger.plans import Decided, Versions
from flows.ledger.store import Ledger
from flows.ledger.tables import PLAN
from flows.run import version_of
from flows.tenants import Deployment, load
from tests.flows.ledgers import held

ROOT = Path(__file__).parents[3]
EMAIL = Argument(value="ana@example.com", source=Source(kind="leaf", paths=("email",)), because=("S4",))
STATUS = Argument(value="archived", source=Source(kind="constant"), because=("S2",))
ROW = Call(
    operation="warehouse_upsert_patients",
    arguments={"email": EMAIL, "status": STATUS},
    because=("S1", "S2", "S4"),
)


@pytest.fixture
def deployment() -> Deployment:
    return load(ROOT / "deployments", "example/warehouse")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    yield made
    made.close()


def journal(ledger: Ledger, deployment: Deployment, by: str = "program", version: str = "") -> None:
    known = entries.known(ledger, ["1"])["1"]
    decided = Decided(known, "f", Decision(outcome=Plan(kind="write", calls=(ROW,))), by=by)
    versions = Versions(version or version_of(deployment), "p")
    plans.journal(ledger, [decided], versions, declared(deployment)[0])


def told(ledger: Ledger, deployment: Deployment) -> list[str]:
    return [line.strip() for line in explain(deployment, ledger, "1", values=False) if "←" in line]


def test_a_value_has_a_sentence_its_fields_and_who_decided(ledger: Ledger, deployment: Deployment) -> None:
    journal(ledger, deployment)

    assert told(ledger, deployment) == [
        "email ← @email by S4 (program)",
        "status ← constant, decided from active by S2 (program)",
    ]


def test_a_model_is_named(ledger: Ledger, deployment: Deployment) -> None:
    journal(ledger, deployment, by="google-cloud:some-model")

    assert told(ledger, deployment)[0] == "email ← @email by S4 (model google-cloud:some-model)"


def test_a_judged_sentence_is_told(ledger: Ledger, deployment: Deployment) -> None:
    journal(ledger, deployment)
    with ledger.engine.begin() as connection:
        row = connection.execute(sa.select(PLAN)).one()
        content = json.loads(ledger.seal.open(row.sealed, "plan"))
        content["outcome"]["judged"] = {"S2.2": "archived"}
        sealed = ledger.seal.seal(json.dumps(content).encode(), "plan")
        connection.execute(sa.update(PLAN).values(sealed=sealed))

    assert told(ledger, deployment) == [
        "email ← @email by S4 (program)",
        "status ← constant, decided from active by S2 (judgement)",
    ]


def test_fields_of_other_instructions_are_not_claimed(ledger: Ledger, deployment: Deployment) -> None:
    journal(ledger, deployment, version="others")

    assert told(ledger, deployment)[1] == "status ← constant by S2 (program)"
