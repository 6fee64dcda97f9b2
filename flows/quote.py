"""Quote: what an integration would cost on each schedule, from what its runs measured, and what drives it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from sqlalchemy.engine import Engine

from agent.allowed import Price
from flows.errors import Spoken
from flows.forecast import WEEK, Figure, Forecast, Ran, forecast
from flows.ledger import measured, stages
from flows.ledger.stages import Stage
from flows.ledger.store import Ledger
from flows.opening import open_ledger
from flows.parameters import Mode
from flows.schedules import PERIOD, Rhythm
from flows.settings import Settings
from flows.tenants import Deployment, load

MICRO = 1_000_000
DAY = 86_400.0  # seconds


class NothingMeasured(Spoken):
    """The integration ran too rarely to say anything. One line."""


@dataclass(frozen=True, slots=True)
class Daily:
    """What a day brought, the first run left out: it decides everyone. requests: those that left."""

    runs: float
    records: float
    requests: float
    tokens: float
    micro_usd: float
    seconds: float
    stored: float


@dataclass(frozen=True, slots=True)
class Drivers:
    """What costs depend on. targets: their systems by their names. price: of the model that is asked."""

    entries: int
    source: str
    targets: Mapping[str, str]
    fields: int
    writes: int
    by: str
    judge: str
    price: Price | None
    runs: int
    days: float
    daily: Daily


@dataclass(frozen=True, slots=True)
class Quote:
    """Schedules: a forecast for each, the most frequent one first. Money is at the prices of models.yaml."""

    label: str
    mode: Mode
    schedules: tuple[Forecast, ...]
    drivers: Drivers


def quote(settings: Settings, label: str, mode: Mode) -> Quote:
    """What it would cost.

    Raises:
        NothingMeasured, IntegrationInvalid, StageOver, LedgerUnavailable.
    """
    deployment = load(settings.deployments, label)
    ledger = open_ledger(settings, deployment, mode)
    try:
        return quoted(deployment, ledger, mode)
    finally:
        ledger.close()


def quoted(deployment: Deployment, ledger: Ledger, mode: Mode) -> Quote:
    """The same of a ledger that is open. Raises NothingMeasured."""
    stage = stages.latest(ledger.engine, deployment.tenant, deployment.name) if mode == "staging" else None
    with ledger.reading() as connection:
        runs = measured.runs(connection, ledger.tenant, ledger.name, stage.began if stage else None)
    if len(runs) < 2:
        label = deployment.label
        again = f"ferry run {label}{' --staging' if mode == 'staging' else ''}"
        raise NothingMeasured(f"{label}: {len(runs)} runs say nothing of changes; run it again: {again}")
    changes, every = measured.changes(ledger), deployment.integration.sweep_every
    rhythms: tuple[Rhythm, ...] = get_args(Rhythm)
    schedules = tuple(forecast(runs, changes, rhythm, every) for rhythm in rhythms)
    return Quote(deployment.label, mode, schedules, drivers(deployment, runs))


def drivers(deployment: Deployment, runs: Sequence[Ran]) -> Drivers:
    """What it depends on, as these runs measured it; of at least one."""
    integration = deployment.integration
    days = (runs[-1].started - runs[0].started).total_seconds() / DAY
    return Drivers(
        entries=max(one.known for one in runs),
        source=integration.source,
        targets={
            name: deployment.connections[one.connection].connector
            for name, one in integration.targets.items()
        },
        fields=len(deployment.manifest.paths),
        writes=len(integration.grants()),
        by=integration.decide.by,
        judge=integration.decide.judge,
        price=deployment.model.price if deployment.model else None,
        runs=len(runs),
        days=days,
        daily=_daily(runs[1:], days),
    )


def _daily(runs: Sequence[Ran], days: float) -> Daily:
    def a_day(total: float) -> float:
        return total / days if days else 0.0

    return Daily(
        runs=a_day(len(runs)),
        records=a_day(sum(one.changed for one in runs)),
        requests=a_day(sum(one.left for one in runs)),
        tokens=a_day(sum(one.tokens for one in runs)),
        micro_usd=a_day(sum(one.micro_usd for one in runs)),
        seconds=a_day(sum(sum(one.seconds.values()) for one in runs)),
        stored=a_day(sum(one.stored for one in runs)),
    )


def staged_drivers(engine: Engine, deployment: Deployment, stage: Stage) -> Drivers | None:
    """Of a stage, also of one whose data is destroyed: counts stay. None if nothing was measured in it."""
    with engine.connect() as connection:
        name = stages.named(deployment.name)
        runs = measured.runs(connection, deployment.tenant, name, stage.began)
    return drivers(deployment, runs) if runs else None


def lines(one: Quote) -> Iterator[str]:
    """A quote as text."""
    runs, days = one.drivers.runs, one.drivers.days
    yield f"{one.label}: measured in {runs} runs over {days:.1f} days; usual (one run in twenty has more)"
    yield from _doubts(days, one.drivers.daily.records * days)
    for schedule in one.schedules:
        yield ""
        yield from _schedule(schedule, one.drivers)
    yield ""
    if one.mode == "staging":
        yield f"no write was sent: each request to a target is taken to last {measured.UNSENT} seconds"
    yield from driving(one.drivers)


def _doubts(days: float, changes: float) -> Iterator[str]:
    if days * DAY < WEEK.total_seconds():
        yield "less than a week was measured: sums come out high, since not all weekdays were seen"
    if changes:
        chance = f"{_chance(changes):.0%}"
        yield f"{changes:,.0f} changes were seen: as many more differ by {chance}, by chance alone"


def _chance(changes: float) -> float:
    """Two thirds of all weeks are nearer to each other, if changes come one by one."""
    return math.sqrt(2 / changes)


def _schedule(one: Forecast, drivers: Drivers) -> Iterator[str]:
    fits = "fits" if one.fits else f"DOES NOT FIT into {PERIOD[one.rhythm]}"
    yield f"{one.rhythm}: {one.runs_a_week} runs a week; a run takes {_range(one.length, 1)} seconds: {fits}"
    if one.spread:
        yield "  it ran more rarely so far: its changes are taken as spread evenly, or at most all in one run"
    steps = ", ".join(f"{step} {_range(seconds, 1)}" for step, seconds in one.seconds.items())
    yield f"  seconds          {steps}"
    yield f"  records          {_range(one.records)}; {_week(one.records)}"
    yield f"  requests         {_range(one.reads)} of {drivers.source}; {_week(one.reads)}"
    for target, asked in one.requests.items():
        system = drivers.targets.get(target, "no target any more")
        yield f"  requests         {_range(asked)} of {target} ({system}); {_week(asked)}"
    if one.tokens.high:
        money = one.micro_usd * (1 / MICRO)
        yield f"  model requests   {_range(one.asked)}; {_week(one.asked)}"
        yield f"  model tokens     {_range(one.tokens)} to decide; {_week(one.tokens)}"
        yield f"  model money      {_range(money, 4)} US dollars; {_week(money, 2)}"
    stored = one.stored * (1 / 1024)
    yield f"  stored           {_range(stored)} KiB; {_week(stored)}"
    which = "every run" if one.sweep_every == 1 else f"one run in {one.sweep_every}"
    yield (
        f"  {which} reads everyone: {one.sweep_reads:,.0f} requests of {drivers.source}, "
        f"{one.sweep_seconds:,.1f} seconds"
    )


def _range(found: Figure, places: int = 0) -> str:
    return f"{found.middle:,.{places}f} ({found.high:,.{places}f})"


def _week(found: Figure, places: int = 0) -> str:
    return f"{found.a_week:,.{places}f} a week"


def driving(one: Drivers) -> Iterator[str]:
    """What drives the costs, as text."""
    daily = one.daily
    systems = ", ".join(f"{name} ({system})" for name, system in one.targets.items())
    yield "what drives it:"
    yield f"  records      {one.entries:,} entries are known; {daily.records:,.1f} changes a day"
    yield f"  systems      {one.source} and {systems}"
    yield (
        f"  frequency    {daily.runs:,.1f} runs a day so far, which take {daily.seconds:,.0f} seconds, "
        f"{daily.requests:,.0f} requests and {daily.stored / 1024:,.0f} KiB"
    )
    yield f"  complexity   {one.fields} fields are read, {one.writes} kinds of writes are granted"
    yield f"  decided by   {one.by}{f', with {one.judge} where a sentence asks for it' if one.judge else ''}"
    if one.price is not None:
        yield (
            f"  model        {one.price.input} and {one.price.output} US dollars for a million tokens in and "
            f"out; {daily.tokens:,.0f} tokens and {daily.micro_usd / MICRO:,.2f} US dollars a day so far"
        )
