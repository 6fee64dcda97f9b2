"""Quote: what an integration would cost on each schedule, told from what its runs measured."""

from collections.abc import Iterator
from typing import get_args

from flows.errors import Spoken
from flows.forecast import Forecast, Range, forecast
from flows.ledger import measured
from flows.opening import open_ledger
from flows.parameters import Mode
from flows.schedules import PERIOD, Rhythm
from flows.settings import Settings
from flows.tenants import Deployment, load

MICRO = 1_000_000


class NothingMeasured(Spoken):
    """The integration ran too rarely to say anything. One line."""


def quote(settings: Settings, label: str, mode: Mode) -> Iterator[str]:
    """Lines: a forecast for each schedule, then what drives it.

    Raises:
        NothingMeasured, IntegrationInvalid, StageOver, LedgerUnavailable.
    """
    deployment = load(settings.deployments, label)
    ledger = open_ledger(settings, deployment, mode)
    try:
        runs, changes = measured.runs(ledger), measured.changes(ledger)
        entries = measured.entries(ledger)
    finally:
        ledger.close()
    if len(runs) < 2:
        again = f"ferry run {label}{' --staging' if mode == 'staging' else ''}"
        raise NothingMeasured(f"{label}: {len(runs)} runs say nothing of changes; run it again: {again}")
    days = (max(one.started for one in runs) - min(one.started for one in runs)).total_seconds() / 86_400
    yield f"{label}: measured in {len(runs)} runs over {days:.1f} days; usual (one run in twenty has more)"
    for rhythm in get_args(Rhythm):
        yield from _told(forecast(runs, changes, rhythm))
    yield from _drivers(deployment, entries, len(changes) - entries, days)


def _told(one: Forecast) -> Iterator[str]:
    yield ""
    fits = "fits" if one.fits else f"DOES NOT FIT into {PERIOD[one.rhythm]}"
    yield f"{one.rhythm}: {one.runs_a_week} runs a week; a run takes {_range(one.seconds, 1)} seconds: {fits}"
    yield f"  records a run    {_range(one.records)}; a week {one.records_a_week:,.0f}"
    for system, requests in one.requests.items():
        yield f"  requests         {_range(requests)} of {system}"
    if one.tokens.high:
        money = one.micro_usd * (1 / MICRO)
        yield f"  model tokens     {_range(one.tokens)}"
        yield f"  model money      {_range(money, 4)} US dollars; a week {one.micro_usd_a_week / MICRO:,.2f}"
    yield f"  stored           {_range(one.stored * (1 / 1024))} KiB"


def _range(found: Range, places: int = 0) -> str:
    return f"{found.middle:,.{places}f} ({found.high:,.{places}f})"


def _drivers(deployment: Deployment, entries: int, changes: int, days: float) -> Iterator[str]:
    integration = deployment.integration
    daily = max(0, changes) / days if days else 0.0
    fields, writes = len(deployment.manifest.paths), len(integration.grants())
    yield ""
    yield "what drives it:"
    yield f"  records      {entries:,} entries are known; {daily:,.0f} changes a day"
    yield f"  systems      {integration.source} and {', '.join(integration.targets)}"
    yield f"  complexity   {fields} fields are read, {writes} kinds of writes are granted"
    yield f"  decided by   {integration.decide.by}{_judge(deployment)}"


def _judge(deployment: Deployment) -> str:
    judge = deployment.integration.decide.judge
    return f", with {judge} where a sentence asks for judgement" if judge else ""
