"""What a monitor asks: is anything late, failed, red, held or doubtful? From the ledger and the files alone.

It works when Prefect's server, the worker and the schedule are all down: that is what it is for. It needs
no key, takes no lease and starts nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Connection

from connectors.operation import Delivery
from flows.errors import Spoken
from flows.ledger.store import connect, now
from flows.ledger.tables import DELIVERY, INTEGRATION, RUN
from flows.schedules import Schedule, ScheduleUnsupported, parse
from flows.settings import Settings
from flows.tenants import labels

PERIODS = 2  # without a finished run; then it is late
FINISHED = ("complete", "incomplete", "failed")
RED = ("entries_do_not_add_up", "deliveries_do_not_add_up", "read_back_differs")


class NothingToWatch(Spoken):
    """No integration bears that name. One line."""


def problems(settings: Settings, which: str, at: datetime | None = None) -> Iterator[str]:
    """One line for each problem of the integrations of `which`: "", a tenant, or tenant/integration.

    Raises:
        NothingToWatch, LedgerUnavailable: the question cannot be answered.
    """
    chosen = [one for one in labels(settings.deployments) if which in ("", one, one.partition("/")[0])]
    if not chosen:
        raise NothingToWatch(f"{which or 'ferry'}: no such integration below {settings.deployments}")
    engine = connect(settings.ledger())
    try:
        with engine.connect() as connection:
            for label in chosen:
                yield from _of_schedule(settings.deployments, label)
                yield from _of(connection, settings.deployments, label, at or now())
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class _Last:
    ended: datetime
    state: str
    code: str


def _of(connection: Connection, root: Path, label: str, at: datetime) -> Iterator[str]:
    tenant, _, name = label.partition("/")
    here = sa.select(INTEGRATION.c.id).where(INTEGRATION.c.tenant == tenant, INTEGRATION.c.name == name)
    integration = connection.execute(here).scalar_one_or_none()
    last = None if integration is None else _last(connection, integration)
    if late := _late(schedules(root, label), last, at):
        yield f"{label}: {late}"
    if last and last.state == "failed":
        kind = "RED, the numbers are wrong" if last.code in RED else "failed"
        yield f"{label}: the last run {kind} ({last.code}); see: ferry status {label}"
    if integration is not None:
        yield from _waiting(connection, integration, label)


def _last(connection: Connection, integration: int) -> _Last | None:
    row = connection.execute(
        sa.select(RUN.c.ended, RUN.c.state, RUN.c.code)
        .where(RUN.c.integration == integration, RUN.c.state.in_(FINISHED))
        .order_by(RUN.c.ended.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _Last(row.ended, row.state, row.code)


def _late(found: Sequence[Schedule], last: _Last | None, at: datetime) -> str:
    if not found:
        return ""
    often = min(found, key=lambda one: one.period)
    if last is None:
        return f"never ran, and is to run {often.rhythm}; is the worker up, the schedule active?"
    age = at - last.ended
    if age <= PERIODS * often.period:
        return ""
    return (
        f"late: the last run ended {last.ended:%Y-%m-%d %H:%M} UTC, {_hours(age)} ago, and it is to run "
        f"{often.rhythm}; is the worker up, the schedule active?"
    )


def _waiting(connection: Connection, integration: int, label: str) -> Iterator[str]:
    doubtful = (DELIVERY.c.state == "unknown") & (DELIVERY.c.delivery_class == Delivery.BLIND.value)
    rows = connection.execute(
        sa.select(DELIVERY.c.state, DELIVERY.c.code, sa.func.count())
        .where(DELIVERY.c.integration == integration, (DELIVERY.c.state == "held") | doubtful)
        .group_by(DELIVERY.c.state, DELIVERY.c.code)
        .order_by(DELIVERY.c.state, DELIVERY.c.code)
    )
    for state, code, number in rows:
        if state == "held":
            yield f"{label}: {number} held ({code}); decide: ferry release {label}, or with --discard"
        else:
            yield f"{label}: {number} doubtful; look in the target as this says: ferry status {label}"


def schedules(root: Path, label: str) -> list[Schedule]:
    """The active schedules of an integration, as its tenant's prefect.yaml has them."""
    return [one for one in _schedules(root, label) if isinstance(one, Schedule)]


def _of_schedule(root: Path, label: str) -> Iterator[str]:
    for one in _schedules(root, label):
        if not isinstance(one, Schedule):
            yield f"{label}: {one}"


def _schedules(root: Path, label: str) -> Iterator[Schedule | str]:
    """Each active schedule; the line of its error where it is none."""
    tenant, _, name = label.partition("/")
    path = root / tenant / "prefect.yaml"
    if not path.exists():
        return
    described = cast(Mapping[str, object], yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    for deployment in cast(Sequence[Mapping[str, object]], described.get("deployments") or ()):
        parameters = cast(Mapping[str, Mapping[str, object]], deployment.get("parameters") or {})
        if parameters.get("integration", {}).get("integration") != name:
            continue
        for schedule in cast(Sequence[Mapping[str, object]], deployment.get("schedules") or ()):
            if schedule.get("active", True):
                try:
                    yield parse({key: value for key, value in schedule.items() if key != "active"})
                except ScheduleUnsupported as error:
                    yield str(error)


def _hours(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
