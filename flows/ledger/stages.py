"""Stages: how long an integration may be tried in staging, and what is destroyed when that is over.

A stage has a data key of its own, so that destroying the key leaves nothing of it readable, and rows of its
own, which are removed. What stays is the audit, and of each run its counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from flows.crash import crashpoint
from flows.errors import Spoken
from flows.ledger import audit, keys
from flows.ledger.stage_tables import MARK, STAGE, STAGED, WORD
from flows.ledger.store import Ledger, audit_key, now
from flows.ledger.tables import (
    CURSOR,
    DELIVERY,
    EMISSION,
    ENTRY,
    INTEGRATION,
    JUDGEMENT,
    KEPT,
    LINK,
    PLAN,
    SHADOW,
)
from flows.naming import STAGING, mode_of
from flows.parameters import Parameters
from flows.vault import KeyEncryptionKey

LASTS = timedelta(days=7)


class StageOver(Spoken):
    """The time of staging is over, and its data is destroyed. One line: what, and what to do."""


class NoSuchStage(Spoken):
    """The integration was never staged. One line."""


class StageInUse(Spoken):
    """What a stage left cannot be scrubbed while others read the ledger. One line."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One time of staging. number: 1, 2, … of its integration; each has a key of its own."""

    tenant: str
    name: str  # of the integration, without the suffix
    number: int
    began: datetime
    ends: datetime
    destroyed: datetime | None

    @property
    def label(self) -> str:
        return f"{self.tenant}/{self.name}"

    @property
    def key(self) -> str:
        return key_name(self.tenant, self.name, self.number)

    @property
    def over(self) -> bool:
        return self.ends <= now()


@dataclass(frozen=True, slots=True)
class Extension:
    """Until when, who said so, and why. Neither is a patient's."""

    until: datetime
    by: str = ""
    reason: str = ""


def key_name(tenant: str, name: str, number: int) -> str:
    """The name of a stage's data key."""
    return f"{tenant}/{name}{STAGING}.{number}"


def named(name: str) -> str:
    """An integration's name as the ledger has it in staging."""
    return f"{name}{STAGING}"


def in_mode(asked: Parameters) -> str:
    """The integration's name as the ledger has it for such a run."""
    return named(asked.integration) if asked.staged else asked.integration


def latest(engine: Engine, tenant: str, name: str) -> Stage | None:
    """The integration's newest stage; None if it was never staged."""
    mine = (INTEGRATION.c.tenant == tenant) & (INTEGRATION.c.name == named(name))
    return next(iter(_stages(engine, mine)), None)


def current(engine: Engine, kek: KeyEncryptionKey, environment: str, tenant: str, name: str) -> str:
    """The name of the data key of the stage that goes on, or that is about to begin.

    Raises:
        StageOver: its time is over; its data is destroyed before this is said.
    """
    stage = latest(engine, tenant, name)
    if stage is None:
        return key_name(tenant, name, 1)
    if stage.over:
        destroy(engine, kek, environment, stage)
        raise _ended(stage)
    return stage.key


def _ended(stage: Stage) -> StageOver:
    return StageOver(
        f"{stage.label}: staging ended on {stage.ends:%Y-%m-%d %H:%M} UTC, and its data is destroyed. Go "
        f"live: ferry promote {stage.label}; or agree on more: ferry stage {stage.label} --until DATE"
    )


def known(engine: Engine, tenant: str, name: str) -> Stage:
    """The integration's newest stage. Raises NoSuchStage."""
    found = latest(engine, tenant, name)
    if found is None:
        label = f"{tenant}/{name}"
        raise NoSuchStage(f"{label}: was never staged; begin with: ferry run {label} --staging")
    return found


def all_of(engine: Engine, tenant: str) -> list[Stage]:
    """Every stage that a tenant had."""
    return _stages(engine, INTEGRATION.c.tenant == tenant)


def over(engine: Engine, at: datetime) -> list[Stage]:
    """The stages whose time is over and whose data is still there."""
    return _stages(engine, (STAGE.c.ends <= at) & STAGE.c.destroyed.is_(None))


def _stages(engine: Engine, which: sa.ColumnElement[bool]) -> list[Stage]:
    """Newest first."""
    row = STAGE.c
    query = (
        sa.select(INTEGRATION.c.tenant, INTEGRATION.c.name, row.number, row.began, row.ends, row.destroyed)
        .join(INTEGRATION, INTEGRATION.c.id == row.integration)
        .where(which)
        .order_by(row.number.desc())
    )
    with engine.connect() as connection:
        found = connection.execute(query).all()
    return [Stage(one.tenant, one.name.removesuffix(STAGING), *one[2:]) for one in found]


def begin(ledger: Ledger) -> None:
    """The clock starts with the first run. Does nothing if it runs already. The lease is held.

    Raises:
        StageOver: it was ended since this run opened it, and may write nothing any more.
    """
    stage = latest(ledger.engine, ledger.tenant, mode_of(ledger.name)[0])
    if stage is None:
        _begin(ledger)
    elif stage.over or stage.key != ledger.key:
        raise _ended(stage)


def _begin(ledger: Ledger) -> None:
    with ledger.writing("stage begins") as connection:
        _insert(connection, ledger.integration, 1, Extension(now() + LASTS))
        audit.add(ledger, connection, "stage begins", 1, 1)


def extend(
    engine: Engine, kek: KeyEncryptionKey, environment: str, stage: Stage, extension: Extension
) -> None:
    """Let a stage end later; one that is over begins anew, with nothing in it.

    Raises:
        StageInUse: what it left cannot be scrubbed just now.
    """
    if stage.over and not destroy(engine, kek, environment, stage):
        raise StageInUse(
            f"{stage.label}: the ledger is in use, so its last stage is not scrubbed yet; try again"
        )
    key, who = audit_key(engine, kek, environment), audit.person(extension.by)
    act = f"stage of {stage.name} extended to {extension.until:%Y-%m-%d}: {extension.reason}"
    with audit.acting(engine, key, stage.tenant, act, 1, stage.name, stage.number, actor=who) as connection:
        if stage.over:
            _insert(connection, _integration(connection, stage), stage.number + 1, extension)
            return
        changed = {"ends": extension.until, "extended_by": extension.by, "reason": extension.reason}
        connection.execute(sa.update(STAGE).where(_this(connection, stage)).values(changed))


def _insert(connection: sa.Connection, integration: int, number: int, extension: Extension) -> None:
    row = {"integration": integration, "number": number, "began": now(), "ends": extension.until}
    connection.execute(STAGE.insert().values(**row, extended_by=extension.by, reason=extension.reason))


def _integration(connection: sa.Connection, stage: Stage) -> int:
    found = sa.select(INTEGRATION.c.id).where(
        INTEGRATION.c.tenant == stage.tenant, INTEGRATION.c.name == named(stage.name)
    )
    return int(connection.execute(found).scalar_one())


def _this(connection: sa.Connection, stage: Stage) -> sa.ColumnElement[bool]:
    """Its row, as long as its data is not destroyed."""
    mine = STAGE.c.integration == _integration(connection, stage)
    return mine & (STAGE.c.number == stage.number) & STAGE.c.destroyed.is_(None)


def destroy(engine: Engine, kek: KeyEncryptionKey, environment: str, stage: Stage) -> bool:
    """End a stage: its key and rows are destroyed, and a run that goes on is fenced out.

    May be cut off anywhere: from its first step on the stage is over, and whoever meets it goes on.

    Returns:
        False if others who read the ledger kept its files from being scrubbed: then it is to be called again.
    """
    if stage.destroyed is not None:
        return True
    key = audit_key(engine, kek, environment)
    if not stage.over:
        with audit.acting(engine, key, stage.tenant, f"stage of {stage.name} ended", 1, stage.number) as here:
            here.execute(sa.update(STAGE).where(_this(here, stage)).values(ends=now()))
        crashpoint("after stage is over")
    with engine.connect() as connection:
        integration = _integration(connection, stage)
    if any(one.tenant == stage.key for one in keys.all_of(engine)):
        keys.destroy(engine, kek, environment, stage.key, sa.select(sa.literal(integration)))
    act = f"data of the stage of {stage.name} destroyed"
    with audit.acting(engine, key, stage.tenant, act, 1, stage.name, stage.number) as here:
        if here.execute(sa.select(STAGE.c.number).where(_this(here, stage))).first():
            _remove(here, integration)  # else another process was first, and a newer stage may have rows
    crashpoint("after rows of stage are removed")
    scrubbed = keys.scrub(engine)
    if scrubbed:
        crashpoint("before stage is destroyed")
        with engine.begin() as here:
            here.execute(sa.update(STAGE).where(_this(here, stage)).values(destroyed=now()))
    return scrubbed


def _remove(connection: sa.Connection, integration: int) -> None:
    entries = sa.select(ENTRY.c.ref).where(ENTRY.c.integration == integration)
    plans = sa.select(PLAN.c.id).where(PLAN.c.entry.in_(entries))
    for table in (KEPT, SHADOW):
        connection.execute(sa.delete(table).where(table.c.plan.in_(plans)))
    connection.execute(sa.delete(LINK).where(LINK.c.entry.in_(entries)))
    connection.execute(sa.delete(DELIVERY).where(DELIVERY.c.integration == integration))
    connection.execute(sa.delete(PLAN).where(PLAN.c.entry.in_(entries)))
    for table in (WORD, ENTRY, STAGED, MARK, JUDGEMENT, CURSOR, EMISSION):
        connection.execute(sa.delete(table).where(table.c.integration == integration))
