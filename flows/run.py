"""A run: one execution of an integration, with everything its steps share."""

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from agent.agent import Decider
from agent.policy import Policy
from connectors.base import Connector
from connectors.changes import Cursor
from connectors.entry import Found
from connectors.operation import Write
from connectors.source import Source
from flows import accounts, anchor, approval, connections, held, instead, other, reach, shadow, staging
from flows.asking import Asking
from flows.breaker import REMEMBERED, Breaker
from flows.connections import Connections
from flows.emit import Calendar
from flows.ledger import entries, lease, runs, stages
from flows.ledger.emission import Emission
from flows.ledger.entries import Known
from flows.ledger.plans import Decided, Versions
from flows.ledger.restored import Restoration
from flows.ledger.store import Ledger, now
from flows.opening import open_ledger, tenant_seal
from flows.other import Paired
from flows.parameters import Kind, Parameters
from flows.settings import PRODUCTION, Settings
from flows.shadow import Beside
from flows.tenants import Deployment, load


@dataclass(frozen=True, slots=True)
class Candidate:
    """A changed entry: what is known of it, what was read, and the fingerprint of that."""

    known: Known
    found: Found
    fingerprint: str
    named: JsonValue = None  # of a pair's reader: the id of the other side that the record holds
    own: Mapping[str, str] = field(default_factory=dict[str, str])  # what goes both ways, as hashes by key
    rest: str = ""  # the fingerprint without that
    record: str = ""  # the id under which the paired target knows it, if it is another one


@dataclass(frozen=True, slots=True)
class Observer:
    """Who looks on while a run goes: the terminal's progress bar, and a dry run's preview."""

    progress: Callable[[int, int | None], None] = lambda _done, _listed: None
    decided: Callable[["Run", Sequence[tuple[Candidate, Decided]]], None] = lambda _run, _decided: None
    ended: Callable[["Run"], None] = lambda _run: None


OBSERVER: ContextVar[Observer] = ContextVar("observer", default=Observer())  # noqa: B039  # it is frozen


@dataclass
class Run:
    """One execution. Steps take it whole: they are chapters of one story, in flows/sync.py."""

    deployment: Deployment
    asked: Parameters
    ledger: Ledger
    source: Source
    targets: Mapping[str, Connector]
    writes: Mapping[str, Write]  # by full name, in the declared order: the order of delivery
    decider: Decider
    asking: Asking  # where it is booked what is asked of models
    fallback: Decider | None  # asked where the model does not answer
    versions: Versions
    known: int  # entries that a run over everyone will meet; 0 if that is not known
    started: datetime
    breaker: Breaker
    usual: Mapping[str, Sequence[float]]  # by kind of run: the shares of entries that runs of it changed
    paired: Paired | None = None  # the opposite integration, of one that goes both ways
    restored: Restoration | None = None  # the ledger was restored from an older backup, once
    counts: Counter[str] = field(default_factory=Counter[str])
    codes: Counter[str] = field(default_factory=Counter[str])  # why: "quarantined value_without_source"
    cursors: dict[str, Cursor] = field(default_factory=dict[str, Cursor])  # to move to at the end
    groups: dict[str, list[Candidate]] = field(default_factory=dict[str, list[Candidate]])
    differing: set[str] = field(default_factory=set[str])  # models that answered as others than are allowed
    unlisted: set[str] = field(default_factory=set[str])  # patients known and not listed by the source now
    down: set[str] = field(default_factory=set[str])  # targets that do not answer
    turn: threading.Lock = field(default_factory=threading.Lock)
    calendar: Calendar | None = None  # in which week deliveries leave; None: in every run
    shadow: Beside | None = None  # a version that decides beside the live one
    emission: Emission | None = None  # the month they leave for, once the run has begun
    begun: float = field(default_factory=time.monotonic)  # no matter what a clock says
    state: str = "running"
    code: str = ""

    @property
    def id(self) -> str:
        return self.ledger.run

    @property
    def kind(self) -> Kind:
        return self.asked.kind

    @property
    def dry(self) -> bool:
        return self.asked.dry_run

    @property
    def reconciling(self) -> bool:
        """The ledger is older than its targets, and no person released it yet: nothing is sent."""
        return self.restored is not None and self.restored.released is None

    @property
    def today(self) -> date:
        """The practice's day, not that of UTC: date rules are written for people there."""
        return self.started.astimezone(ZoneInfo(self.deployment.timezone)).date()

    @property
    def period(self) -> str | None:
        """The month that deliveries leave for now, if they leave for one."""
        return self.emission.period if self.emission and self.emission.open else None

    def shares(self) -> Sequence[float]:
        """Of the known entries, changed in each of the last complete runs of this kind."""
        return self.usual["sweep" if self.counts["swept"] else self.kind]

    def count(self, name: str, number: int = 1, code: str = "") -> None:
        with self.turn:
            self.counts[name] += number
            if code:
                self.codes[f"{name} {code}"] += number


def new_id() -> str:
    """A run's id: sorts by time, says nothing."""
    return f"r{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(3)}"


@contextmanager
def opened(asked: Parameters, flow_run: str = "", patience: float = 0.0) -> Generator[Run]:
    """A run with its lease taken, connections open and accounts known; a dry run takes no lease.

    `flow_run`: Prefect's id of this execution, which the lease and the run remember. `patience`: seconds
    to wait for another run's lease before giving up.

    Raises:
        IntegrationInvalid, NotApproved, LedgerUnavailable, LeaseHeld, AnchorUnavailable, ConnectorError:
            nothing was done.
    """
    settings, begun = Settings(), time.monotonic()
    written, deployment = _written(settings, asked)
    with ExitStack() as stack:
        stack.enter_context(reach.one_client())
        ledger = open_ledger(settings, deployment, asked.mode)
        ledger.flow_run = flow_run
        stack.callback(ledger.close)
        if not asked.dry_run:
            lease.take(ledger, new_id(), patience)
            stack.callback(lease.give_back, ledger)
            stack.enter_context(lease.Heartbeat(ledger))
        anchor.of_tenant(ledger)  # a dry run, too, reads nothing of who was forgotten
        restored = anchor.looked(ledger) if asked.dry_run else anchor.met(ledger)
        if asked.staged and not asked.dry_run:
            stages.begin(ledger)
        seal = stack.enter_context(tenant_seal(settings, deployment.tenant)) if asked.staged else ledger.seal
        own = Connections(deployment.tenant, deployment.connections, seal, environment=settings.env)
        run = _assemble(stack, deployment, ledger, asked, own)
        run.restored, run.begun = restored, begun
        _confirm(run, own, written)
        root, keep = settings.deployments, not asked.dry_run and not asked.staged
        run.paired = other.opened(stack, root, deployment, ledger, own, run.targets, keep=keep)
        if not asked.dry_run:
            asking = Asking.beside(ledger, deployment.integration.decide.budget, run.today)
            run.shadow = shadow.opened(
                stack, settings, deployment, ledger, run.source, own, asking, run.codes
            )
            runs.begin(ledger, asked.kind, run.versions, run.shadow.version if run.shadow else "")
            anchor.keep(ledger)
        yield run


def _written(settings: Settings, asked: Parameters) -> tuple[Deployment, Deployment]:
    """An integration as its files say, approved if it writes to any account at all; and as it is carried."""
    found = load(settings.deployments, asked.label) if asked.staged else None
    if found is None or instead.writes(found):
        found = approved(settings, asked.label)
    return found, instead.staged(found) if asked.staged else found


def approved(settings: Settings, label: str) -> Deployment:
    """An integration as its files say. They are as they were approved before they are read, and after."""
    _required(settings, label)
    return _required(settings, label)  # what this reads stands between two looks


def _required(settings: Settings, label: str) -> Deployment:
    deployment = load(settings.deployments, label)
    approval.require(
        settings.deployments / label,
        deployment.integration,
        deployment.connections,
        production=settings.env == PRODUCTION,
        today=datetime.now(UTC).date(),
    )
    return deployment


def _assemble(
    stack: ExitStack, deployment: Deployment, ledger: Ledger, asked: Parameters, own: Connections
) -> Run:
    source = stack.enter_context(closing(connections.source(deployment, own)))
    targets = _targets(deployment, ledger, asked, own)
    for target in targets.values():
        stack.callback(target.close)
    writes = connections.writes(deployment, targets)
    policy = held.policy(deployment)
    started = now()
    today = started.astimezone(ZoneInfo(deployment.timezone)).date()
    asking = Asking.booked(ledger, deployment.integration.decide.budget, today, keeps=not asked.dry_run)
    deciding = partial(connections.decider, deployment, policy, writes, targets, source, own, asking)
    decider, by = stack.enter_context(closing(deciding())), deployment.integration.decide.fallback
    fallback = stack.enter_context(closing(deciding(by))) if by else None
    first = runs.SWEEP not in runs.cursors(ledger)
    there = entries.count(ledger)
    return Run(
        deployment=deployment,
        asked=asked,
        ledger=ledger,
        source=source,
        targets=targets,
        writes=writes,
        decider=decider,
        asking=asking,
        fallback=fallback,
        versions=_versions(ledger, deployment, policy),
        known=there if asked.kind in ("sweep", "resync") else 0,
        started=started,
        breaker=Breaker(deployment.integration.limits, there, unlimited=first or asked.kind == "resync"),
        usual={kind: runs.shares(ledger, kind, REMEMBERED) for kind in {asked.kind, "sweep"}},
        counts=Counter(entries=there),
    )


def _targets(
    deployment: Deployment, ledger: Ledger, asked: Parameters, own: Connections
) -> dict[str, Connector]:
    """The targets, or their stages. A stage may hold what its target may: else it would plan otherwise."""
    if asked.staged:
        return staging.stages(deployment, own, ledger)
    return connections.targets(deployment, own)


def _confirm(run: Run, own: Connections, written: Deployment) -> None:
    """See that every account is the right one; in staging also those that are reached instead."""
    reached = accounts.confirm(own, run.deployment, run.source, run.targets)
    if run.asked.staged:
        instead.confirm(own.pin, written, run.targets, reached)


def _versions(ledger: Ledger, deployment: Deployment, policy: Policy) -> Versions:
    return Versions(
        instructions=version_of(deployment),
        policy=ledger.seal.keyed_hash_of(policy.model_dump_json().encode()),
        fields=deployment.manifest.paths,
    )


def version_of(deployment: Deployment) -> str:
    """The instructions' text, and the program or the model that decides by it, named by what they are."""
    instructions, model = deployment.instructions, deployment.model
    decides = instructions.program_hash or ""
    if model:
        asked = f"{deployment.integration.decide.asked} {model.version}"
        named = f"{decides} judged by {asked}" if deployment.integration.decide.judge else asked
        decides = hashlib.sha256(named.encode()).hexdigest()
    return f"{instructions.version[:16]}.{decides[:16]}"
