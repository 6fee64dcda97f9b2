"""One measured run: `python -m benchmarks.child <order.json> <measured.json>`, in a process of its own.

First everything is imported and the clocks are put on, then the clock starts.
"""

import sys
import time
from collections import Counter
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import connectors.healthie.reading
import flows.certify
import flows.deliver
import flows.detect
import flows.ledger.entries
import flows.ledger.plans
import flows.sync
from agent.agent import Decider
from agent.gate import Gate
from agent.program import Sandbox
from benchmarks.figures import BenchmarkFailed
from benchmarks.measured import LABEL, Measured, Order
from benchmarks.stopwatch import Steps, Waiting, around, cpu_seconds, peak_memory
from connectors.healthie import Healthie
from connectors.healthie import client as healthie_client
from connectors.http import Http
from connectors.sql.target import Target
from flows.run import OBSERVER, Observer, Run

SOURCE = "wait for the source"
REST = "Prefect's tasks, and the rest"
STEPS: tuple[tuple[str, object, str, bool], ...] = (
    ("list: which entries may differ", flows.detect, "_nominated", True),
    ("read: pack, parse, normalise", Healthie, "read", True),
    ("read: check documents (guard)", healthie_client, "admitted", False),
    (SOURCE, Http, "_exchange", False),
    ("compare: look up in the ledger", flows.ledger.entries, "known", False),
    ("compare: fingerprint", flows.detect, "_candidate", False),
    ("compare: note the unchanged", flows.detect, "_note", False),
    ("decide: pydantic-ai", Decider, "decide", False),
    ("decide: sandbox", Sandbox, "run", False),
    ("decide: gate", Gate, "check", False),
    ("journal the plans", flows.ledger.plans, "journal", False),
    ("deliver: ledger", flows.deliver, "deliver", False),
    ("deliver: ledger", flows.deliver, "settle", False),
    ("deliver: the target's database", Target, "send", False),
    ("deliver: the target's database", Target, "present", False),
    ("certify", flows.certify, "certify", False),
    ("open and close the run", flows.sync, "opened", False),
    ("progress and report to Prefect", flows.sync, "_progress", False),
    ("progress and report to Prefect", flows.sync, "update_progress_artifact", False),
    ("progress and report to Prefect", flows.sync, "_publish", False),
)
IN_ORDER = [*dict.fromkeys(name for name, *_ in STEPS), REST]


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
    state: Any = flows.sync.sync(LABEL, order.mode, False, return_state=True)
    wall, after = time.perf_counter() - begun, cpu_seconds()
    if state.name not in ("Completed", "Incomplete") or len(runs) != 1:
        raise BenchmarkFailed(f"the run ended as {state.name}: {state.message}")
    if order.one_by_one:
        steps.seconds[REST] = wall - sum(steps.seconds.values())
    measured = Measured(
        wall=wall,
        waiting=waiting.seconds,
        cpu=after[0] - before[0],
        cpu_of_children=after[1] - before[1],
        peak=peak_memory(),
        counts=dict(runs[0].counts),
        documents=dict(documents),
        steps={name: steps.seconds[name] for name in IN_ORDER if name in steps.seconds},
        flow_run=str(state.state_details.flow_run_id),
    )
    Path(sys.argv[2]).write_text(measured.model_dump_json())


def _count_documents(documents: Counter[str]) -> None:
    """Requests by what they ask: the word after `query` in each document that leaves."""
    original = healthie_client.Client.run

    def counted(self: Any, text: str, variables: Any) -> Any:
        documents[text.split(maxsplit=2)[1].partition("(")[0]] += 1
        return original(self, text, variables)

    healthie_client.Client.run = counted  # type: ignore[method-assign]


def _watch(steps: Steps) -> None:
    for name, owner, function, generator in STEPS:
        if function == "opened":
            _watch_opening(steps, name)
        else:
            around(owner, function, partial(steps.step, name), generator=generator)


def _watch_opening(steps: Steps, name: str) -> None:
    """Opening and closing a run, but not what happens in between."""
    original = flows.sync.opened

    @contextmanager
    def opened(*args: Any, **kwargs: Any) -> Generator[Run]:
        context: AbstractContextManager[Run] = original(*args, **kwargs)
        with steps.step(name):
            run = context.__enter__()
        try:
            yield run
        finally:
            with steps.step(name):
                context.__exit__(*sys.exc_info())

    flows.sync.opened = opened


if __name__ == "__main__":
    main()
