"""One integration that carries, and takes back: a run's real steps, without Prefect around them."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flows import certify, decide, deliver, detect, undo
from flows.connections import Connections
from flows.ledger import deliveries, lease, runs
from flows.ledger.database import connect
from flows.ledger.store import Ledger
from flows.parameters import Kind, Parameters
from flows.run import Run, _assemble, new_id
from flows.tenants import load
from flows.vault import KeyFile


@dataclass(frozen=True)
class Ran:
    """How one run ended."""

    id: str
    state: str
    counts: Mapping[str, int]
    codes: Mapping[str, int]


@dataclass(frozen=True)
class Office:
    """Deployments below `root`, one of which is `label`, and what is remembered of it at `url`."""

    root: Path
    label: str
    folder: Path
    url: str

    def ledger(self) -> Ledger:
        tenant, name = self.label.split("/")
        key = KeyFile(self.folder / "ferry.key")
        return Ledger(connect(self.url), key, environment="test", tenant=tenant, name=name)

    def run(self, kind: Kind = "changes", of: str = "") -> Ran:
        """One run, to its end."""
        with ExitStack() as stack:
            run = self._begun(stack, kind)
            if kind == "undo":
                undo.plan(run, of)
            else:
                _plan_pages(run)
            deliver.finish(run)
            settled = deliveries.counts(run.ledger, run=run.id)
            certify._read_back(run)
            run.state, run.code = certify._judgement(run, settled, deliver.unsettled(run))
            runs.end(run.ledger, run.state, run.code, dict(run.counts), run.cursors)
            return Ran(run.id, run.state, dict(run.counts), dict(run.codes))

    def foretold(self, of: str) -> list[str]:
        """What `ferry undo` says before it asks."""
        with ExitStack() as stack:
            return list(undo.foretold(undo.of_run(self._begun(stack, "undo"), of), values=True))

    def _begun(self, stack: ExitStack, kind: Kind) -> Run:
        ledger = self.ledger()
        stack.callback(ledger.close)
        lease.take(ledger, new_id())
        stack.callback(lease.give_back, ledger)
        deployment = load(self.root, self.label)
        own = Connections(deployment.tenant, deployment.connections, ledger.seal, environment="test")
        run = _assemble(stack, deployment, ledger, Parameters.of(self.label, kind), own)
        runs.begin(ledger, kind, run.versions)
        return run


def _plan_pages(run: Run) -> None:
    for page in detect.pages(run):
        for group in decide.groups(run, detect.changed(run, page)):
            decide.decide(run, group)
