"""One measured run: `python -m benchmarks.child <order.json> <measured.json>`, in a process of its own.

First everything is imported and the clocks are put on, then the clock starts.
"""

import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import fastapi.encoders  # noqa: F401  # Prefect imports it with a process's first flow

import connectors.healthie.reading
import flows.certify
import flows.deliver
import flows.detect
import flows.ledger.entries
import flows.ledger.plans
import flows.reconcile
import flows.report
import flows.sync
from agent.agent import Decider
from agent.gate import Gate
from agent.program import Sandbox
from benchmarks.figures import BenchmarkFailed
from benchmarks.measured import Measured, Order
from benchmarks.stopwatch import Kind, Spent, Steps, Waiting, around, cpu_seconds, peak_memory
from connectors.healthie import Healthie
from connectors.healthie import client as healthie_client
from connectors.http import Http
from connectors.sql.target import Target
from flows.parameters import Parameters
from flows.run import OBSERVER, Observer, Run

SOURCE = "wait for the source"
REST = "Prefect's tasks, and the rest"
STEPS: tuple[tuple[str, object, str, Kind], ...] = (
    ("list: which entries may differ", flows.detect, "_nominated", "turns"),
    ("read: pack, parse, normalise", Healthie, "read", "turns"),
    ("read: check documents (guard)", healthie_client, "admitted", "call"),
    (SOURCE, Http, "_exchange", "call"),
    ("compare: look up in the ledger", flows.ledger.entries, "known", "call"),
    ("compare: fingerprint", flows.detect, "_candidate", "call"),
    ("compare: note the unchanged", flows.detect, "_note", "call"),
    ("decide: pydantic-ai", Decider, "decide", "call"),
    ("decide: sandbox", Sandbox, "run", "call"),
    ("decide: gate", Gate, "check", "call"),
    ("journal the plans", flows.ledger.plans, "journal", "call"),
    ("deliver: ledger", flows.deliver, "deliver", "call"),
    ("deliver: ledger", flows.deliver, "settle", "call"),
    ("deliver: the target's database", Target, "send", "call"),
    ("deliver: the target's database", Target, "present", "call"),
    ("certify", flows.reconcile, "reconcile", "call"),
    ("certify", flows.certify, "certify", "call"),
    ("open and close the run", flows.sync, "opened", "ends"),
    ("progress and report to Prefect", flows.sync, "_progress", "call"),
    ("progress and report to Prefect", flows.sync, "update_progress_artifact", "call"),
    ("progress and report to Prefect", flows.sync, "_introduce", "call"),
    ("progress and report to Prefect", flows.report, "publish", "call"),
)


def main() -> None:
    order = Order.model_validate_json(Path(sys.argv[1]).read_bytes())
    waiting, steps, documents, runs = Waiting(), Steps(), Counter[str](), list[Run]()
    around(Http, "_exchange", waiting.request)
    _count_documents(documents)
    if order.one_by_one:
        connectors.healthie.reading.THREADS = 1  # type: ignore[misc]  # Final, but for this
        _watch(steps)
    OBSERVER.set(Observer(ended=runs.append))
    before, begun = cpu_seconds(), time.perf_counter()
    asked = Parameters.of(order.label, order.kind).model_copy(update={"mode": order.mode})
    state: Any = flows.sync.carried(asked)
    wall, after = time.perf_counter() - begun, cpu_seconds()
    if state.type.value != "COMPLETED" or len(runs) != 1:
        raise BenchmarkFailed(f"the run ended as {state.name}: {state.message}")
    cpu = after[0] - before[0]
    measured = Measured(
        wall=wall,
        waiting=waiting.seconds,
        cpu=cpu,
        cpu_of_children=after[1] - before[1],
        peak=peak_memory(),
        counts=dict(runs[0].counts),
        documents=dict(documents),
        steps=_in_order(steps, wall, cpu) if order.one_by_one else {},
        flow_run=str(state.state_details.flow_run_id),
    )
    Path(sys.argv[2]).write_text(measured.model_dump_json())


def _in_order(steps: Steps, wall: float, cpu: float) -> dict[str, Spent]:
    """The steps in the order of an entry's way, and what is left."""
    names = [name for name in dict.fromkeys(name for name, *_ in STEPS) if name in steps.spent]
    spent = {name: steps.spent[name] for name in names}
    rest = Spent(
        wall=wall - sum(one.wall for one in spent.values()), cpu=cpu - sum(one.cpu for one in spent.values())
    )
    return spent | {REST: rest}


def _count_documents(documents: Counter[str]) -> None:
    """Requests by what they ask: the word after `query` in each document that leaves."""
    original = healthie_client.Client.run

    def counted(self: Any, text: str, variables: Any) -> Any:
        documents[text.split(maxsplit=2)[1].partition("(")[0]] += 1
        return original(self, text, variables)

    healthie_client.Client.run = counted  # type: ignore[method-assign]


def _watch(steps: Steps) -> None:
    for name, owner, function, kind in STEPS:
        around(owner, function, partial(steps.step, name), kind)


if __name__ == "__main__":
    main()
