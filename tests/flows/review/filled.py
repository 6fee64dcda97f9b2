"""A stage filled with planned writes, as runs would have filled it, without the runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from agent.case import Case
from agent.plan import Argument, Call, Decision, Plan, Refused, Source
from connectors.operation import ArgumentModel, Arguments, Delivery, Outcome, Write
from flows.ledger import deliveries, entries, lease, plans, runs, stages
from flows.ledger.plans import Decided, Versions
from flows.ledger.store import Ledger
from tests.flows.ledgers import open_at

OPERATION = "warehouse_upsert_patients"
WRITE = Write("upsert", "", ArgumentModel, Delivery.UPSERT, lambda _: [], lambda patient, _: patient)
GROUP = 500
VERSIONS = Versions("i", "p")
RUN = "r20261128120000aaaaaa"


WITHOUT: Mapping[str, Plan | Refused] = {
    "200000": Plan(kind="skip", because=("S3",), reason="no_consent"),
    "200001": Plan(kind="review", because=("S8",), reason="two_primaries", judged={"S8": "the newer one"}),
    "200002": Refused(code="value_without_source", where="warehouse_upsert_patients.email"),
}
"""Entries for which nothing is written, by patient."""
DECIDED_ON = {
    "active_tags": [{"name": "No data sharing"}],
    "first_name": "Ana",
    "policies": [
        {"priority_type": "primary", "num": "M-1", "insurance_plan": None},
        {"priority_type": "primary", "num": "M-2", "insurance_plan": None},
    ],
    "metadata": {"Silva family": "cousins", "4711": "a number of hers", "channel": "friend"},
}


@contextmanager
def stage(folder: Path, number: int, url: str = "") -> Iterator[Ledger]:
    """Of one run: a third new records, a third renamed, a third as they were, and entries without a write."""
    made = open_at(
        url or f"sqlite:///{folder / 'ledger.db'}",
        folder / "keys",
        stages.named("warehouse"),
        tenant="demo",
        environment="local",
        key=stages.key_name("demo", "warehouse", 1),
    )
    try:
        lease.take(made, RUN)
        stages.begin(made)
        runs.begin(made, "changes", VERSIONS)
        for start in range(0, number, GROUP):
            _group(made, range(start, min(number, start + GROUP)))
        _without(made)
        counts = {"listed": number + len(WITHOUT), "planned": number, "calls": number, "model_tokens": 12_000}
        counts |= {"skipped": 1, "review": 1, "quarantined": 1}
        runs.end(made, "complete", "", counts, {})
        lease.give_back(made)
        yield made
    finally:
        made.close()


def _group(ledger: Ledger, numbers: range) -> None:
    patients = [str(100_000 + at) for at in numbers]
    known = entries.known(ledger, patients)
    decided = [
        Decided(known[one], f"f{one}", Decision(outcome=_plan(at)))
        for at, one in zip(numbers, patients, strict=True)
    ]
    plans.journal(ledger, decided, VERSIONS, {OPERATION: WRITE})
    due = deliveries.due(ledger, OPERATION, ["planned"], len(numbers))
    deliveries.mark_sent(ledger, due, {one.item.key: _before(int(one.item.patient)) for one in due})
    deliveries.settle(ledger, [Outcome(one.item.key, "done") for one in due])


def _without(ledger: Ledger) -> None:
    known = entries.known(ledger, list(WITHOUT))
    decided = [
        Decided(
            known[one],
            f"f{one}",
            Decision(outcome=outcome),
            kept=Case(one, DECIDED_ON, {}, date(2026, 11, 28)),
        )
        for one, outcome in WITHOUT.items()
    ]
    plans.journal(ledger, decided, VERSIONS, {OPERATION: WRITE})


def _plan(at: int) -> Plan:
    sentence = f"S{1 + at % 3}"
    values = {"full_name": f"Ana <b>Name{at}</b>", "email": f"p{at}@example.com", "status": "active"}
    own = {"status": "metadata.Silva family"}  # an entry names itself what is below a field of the practice's
    arguments = {
        name: Argument(
            value=value, source=Source(kind="leaf", paths=(own.get(name, name),)), because=(sentence,)
        )
        for name, value in values.items()
    }
    return Plan(kind="write", calls=(Call(operation=OPERATION, arguments=arguments, because=(sentence,)),))


def _before(patient: int) -> Arguments | None:
    at = patient - 100_000
    if at % 3 == 0:
        return None
    name = f"Ana <b>Name{at}</b>" if at % 3 == 1 else "Old Name"
    return {"full_name": name, "email": f"p{at}@example.com", "status": "active"}
