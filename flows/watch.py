"""What a monitor asks: is anything late, failed, red, stuck, refused, held or doubtful? From the ledger
and the files alone.

It works when Prefect's server, the worker and the schedule are all down: that is what it is for. It needs
no key, takes no lease and starts nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.operation import Delivery
from flows.errors import Spoken
from flows.ledger import stages
from flows.ledger.database import connect
from flows.ledger.store import now
from flows.ledger.tables import DELIVERY, ENTRY, INTEGRATION, OPEN_STATES, RUN
from flows.naming import told, typed
from flows.parameters import COVERED_BY, Kind, Mode
from flows.schedules import Schedule, ScheduleUnsupported, parse
from flows.settings import Settings
from flows.tenants import labels
from flows.written import content_of

PERIODS = 2  # without a finished run; then it is late
FINISHED = ("complete", "incomplete", "failed")
ENDED = (*FINISHED, "cut_off")
RED = ("entries_do_not_add_up", "deliveries_do_not_add_up", "read_back_differs")
MONTH = timedelta(days=35)  # from one week of a month to the next month's, at most
SWEPT = timedelta(hours=1)  # in which a stage's data was to be destroyed; the sweeper takes a minute
DOUBTFUL = (DELIVERY.c.state == "unknown") & (DELIVERY.c.delivery_class == Delivery.BLIND.value)


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
    engine, moment = connect(settings.ledger()), at or now()
    try:
        with engine.connect() as connection:
            for label in chosen:
                yield from _of_schedule(settings.deployments, label)
                yield from _of(connection, settings.deployments, label, "live", moment)
                yield from _of_stage(connection, settings.deployments, label, moment)
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class _Due:
    """What a deployment of the integration is to do, and how often."""

    kind: Kind
    often: Schedule
    emits: bool  # what it plans leaves in one week of the month

    @property
    def told(self) -> str:
        return self.often.rhythm if self.kind == "changes" else f"{self.often.rhythm} ({self.kind})"

    @property
    def patience(self) -> timedelta:
        """How long a delivery may wait from its plan on."""
        return PERIODS * self.often.period + (MONTH if self.emits else timedelta())


@dataclass(frozen=True, slots=True)
class _Last:
    id: str
    kind: str
    ended: datetime
    state: str
    code: str


def _of_stage(connection: Connection, root: Path, label: str, at: datetime) -> Iterator[str]:
    """A stage that goes on, or is to, is watched as what is live; of one that is over, what it left."""
    stage = stages.latest(connection.engine, *label.split("/"))
    if stage is None or at < stage.ends:
        yield from _of(connection, root, label, "staging", at)
        return
    whose = told(label, "staging")
    if _due(root, label, "staging"):
        yield (
            f"{whose}: ended {stage.ends:%Y-%m-%d %H:%M} UTC and is still scheduled; take it out of "
            f"prefect.yaml and run ferry deploy, or agree on more: ferry stage {label} --until DATE"
        )
    if stage.destroyed is None and at - stage.ends > SWEPT:
        yield f"{whose}: is over, and its data is still there; is the worker up? Destroy it: ferry sweep"


def _of(connection: Connection, root: Path, label: str, mode: Mode, at: datetime) -> Iterator[str]:
    tenant, _, name = label.partition("/")
    name = stages.named(name) if mode == "staging" else name
    here = sa.select(INTEGRATION.c.id).where(INTEGRATION.c.tenant == tenant, INTEGRATION.c.name == name)
    integration = connection.execute(here).scalar_one_or_none()
    due, whose = _due(root, label, mode), told(label, mode)
    for one in due:
        last = None if integration is None else _last(connection, integration, COVERED_BY[one.kind])
        if late := _late(one, last, at):
            yield f"{whose}: {late}"
    if integration is not None:
        found = _open(connection, integration, due, label, mode, at)
        yield from (f"{whose}: {problem}" for problem in found)


def _open(
    connection: Connection, integration: int, due: Sequence[_Due], label: str, mode: Mode, at: datetime
) -> Iterator[str]:
    named = typed(label, mode)
    yield from _failed(connection, integration, named)
    yield from _waiting(connection, integration, named)
    if due and (stuck := _stuck(connection, integration, at - max(one.patience for one in due))):
        what = "staged" if mode == "staging" else "delivered"
        yield f"{stuck[0]} not {what} since {stuck[1]:%Y-%m-%d %H:%M} UTC; see: ferry status {named}"


def _last(
    connection: Connection, integration: int, kinds: Sequence[Kind], states: Sequence[str] = FINISHED
) -> _Last | None:
    row = connection.execute(
        sa.select(RUN.c.id, RUN.c.kind, RUN.c.ended, RUN.c.state, RUN.c.code)
        .where(RUN.c.integration == integration, RUN.c.state.in_(states), RUN.c.kind.in_(kinds))
        .order_by(RUN.c.ended.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _Last(row.id, row.kind, row.ended, row.state, row.code)


def _late(due: _Due, last: _Last | None, at: datetime) -> str:
    if last is None:
        return f"never ran, and is to run {due.told}; is the worker up, the schedule active?"
    age = at - last.ended
    if age <= PERIODS * due.often.period:
        return ""
    return (
        f"late: the last run ended {last.ended:%Y-%m-%d %H:%M} UTC, {_hours(age)} ago, and it is to run "
        f"{due.told}; is the worker up, the schedule active?"
    )


def _failed(connection: Connection, integration: int, label: str) -> Iterator[str]:
    """The last run, and the last one that read: a retry after it puts no failed reading right."""
    lasts = (_last(connection, integration, kinds) for kinds in (COVERED_BY["retry"], COVERED_BY["changes"]))
    for one in {one.id: one for one in lasts if one and one.state == "failed"}.values():
        kind = "RED, the numbers are wrong" if one.code in RED else "failed"
        yield f"the last run {kind} ({one.code}); see: ferry status {label}"
    yield from _half_undone(connection, integration)


def _half_undone(connection: Connection, integration: int) -> Iterator[str]:
    """The last undo, if not all of it was planned: no run goes on with that but another undo, or a resync."""
    last = _last(connection, integration, ("undo", "resync"), ENDED)
    if last is None or last.kind != "undo":
        return
    if last.state in ("failed", "cut_off"):
        yield f"the last undo failed ({last.code or last.state}); ask for it again: ferry undo RUN"
    elif "undecided" in last.code.split():
        yield "the last undo left out entries that it may undo later; ask for it again: ferry undo RUN"


def _waiting(connection: Connection, integration: int, label: str) -> Iterator[str]:
    refused = (DELIVERY.c.state == "rejected") & (DELIVERY.c.version == ENTRY.c.version)
    rows = connection.execute(
        sa.select(DELIVERY.c.state, DELIVERY.c.code, sa.func.count())
        .join(ENTRY, ENTRY.c.ref == DELIVERY.c.entry)
        .where(DELIVERY.c.integration == integration, (DELIVERY.c.state == "held") | DOUBTFUL | refused)
        .group_by(DELIVERY.c.state, DELIVERY.c.code)
        .order_by(DELIVERY.c.state, DELIVERY.c.code)
    )
    for state, code, number in rows:
        if state == "held":
            yield f"{number} held ({code}); decide: ferry release {label}, or with --discard"
        elif state == "rejected":
            yield f"{number} refused ({code}); correct it there: ferry retry {label} --rejected"
        else:
            yield f"{number} doubtful; a person must look, as this says: ferry status {label}"


def _stuck(connection: Connection, integration: int, before: datetime) -> tuple[int, datetime] | None:
    """How many deliveries runs should have sent, or found in the target, by now; and since when the first."""
    number, oldest = connection.execute(
        sa.select(sa.func.count(), sa.func.min(DELIVERY.c.planned)).where(
            DELIVERY.c.integration == integration,
            DELIVERY.c.state.in_(OPEN_STATES) & ~DOUBTFUL,
            DELIVERY.c.planned < before,
        )
    ).one()
    return (number, oldest) if number else None


def _due(root: Path, label: str, mode: Mode) -> list[_Due]:
    """What the active schedules ask for: for each kind the most frequent."""
    found: dict[Kind, _Due] = {}
    for parameters, schedule in _schedules(root, label):
        if isinstance(schedule, Schedule) and parameters.get("mode", "live") == mode:
            kind, emit = parameters.get("kind", "changes"), parameters.get("emit", "always")
            one = _Due(cast(Kind, kind if kind in COVERED_BY else "changes"), schedule, emit != "always")
            known = found.setdefault(one.kind, one)
            if one.often.period < known.often.period:
                found[one.kind] = one
    return list(found.values())


def _of_schedule(root: Path, label: str) -> Iterator[str]:
    for _, one in _schedules(root, label):
        if not isinstance(one, Schedule):
            yield f"{label}: {one}"


def _schedules(root: Path, label: str) -> Iterator[tuple[Mapping[str, object], Schedule | str]]:
    """Each active schedule with its deployment's parameters; the line of its error where it is none."""
    tenant, _, name = label.partition("/")
    path = root / tenant / "prefect.yaml"
    if not path.exists():
        return
    described = cast(Mapping[str, object], content_of(path) or {})
    for deployment in cast(Sequence[Mapping[str, object]], described.get("deployments") or ()):
        given = cast(Mapping[str, Mapping[str, object]], deployment.get("parameters") or {})
        parameters = given.get("integration", {})
        if parameters.get("integration") != name:
            continue
        for schedule in cast(Sequence[Mapping[str, object]], deployment.get("schedules") or ()):
            if schedule.get("active", True):
                try:
                    yield (
                        parameters,
                        parse({key: value for key, value in schedule.items() if key != "active"}),
                    )
                except ScheduleUnsupported as error:
                    yield parameters, str(error)


def _hours(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
