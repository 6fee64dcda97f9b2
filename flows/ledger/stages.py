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
    PLAN,
    SHADOW,
)
from flows.parameters import Mode, Parameters
from flows.vault import KeyEncryptionKey

LASTS = timedelta(days=7)
SUFFIX = ".staging"  # of the name under which the ledger has it; no integration's own name has a dot


class StageOver(Spoken):
    """The time of staging is over, and its data is destroyed. One line: what, and what to do."""


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


@dataclass(frozen=True, slots=True)
class Extension:
    """Until when, who said so, and why. Neither is a patient's."""

    until: datetime
    by: str = ""
    reason: str = ""


def key_name(tenant: str, name: str, number: int) -> str:
    """The name of a stage's data key."""
    return f"{tenant}/{name}{SUFFIX}.{number}"


def named(name: str) -> str:
    """An integration's name as the ledger has it in staging."""
    return f"{name}{SUFFIX}"


def in_mode(asked: Parameters) -> str:
    """The integration's name as the ledger has it for such a run."""
    return named(asked.integration) if asked.staged else asked.integration


def mode_of(label: str) -> tuple[str, Mode]:
    """The integration's own label, and in which mode, of a label as the ledger has it."""
    own = label.removesuffix(SUFFIX)
    return own, "live" if own == label else "staging"


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
    if stage.ends <= now() and stage.destroyed is None:
        destroy(engine, kek, environment, stage)
    if stage.ends <= now():
        raise StageOver(
            f"{stage.label}: staging ended on {stage.ends:%Y-%m-%d %H:%M} UTC, and its data is destroyed. Go "
            f"live: ferry promote {stage.label}; or agree on more: ferry stage {stage.label} --until DATE"
        )
    return stage.key


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
    return [Stage(one.tenant, one.name.removesuffix(SUFFIX), *one[2:]) for one in found]


def begin(ledger: Ledger) -> None:
    """The clock starts with the first run. Does nothing if it runs already."""
    with ledger.writing("stage begins") as connection:
        mine = sa.select(STAGE.c.number).where(STAGE.c.integration == ledger.integration)
        if connection.execute(mine).first() is None:
            _insert(connection, ledger.integration, 1, Extension(now() + LASTS))
            audit.add(ledger, connection, "stage begins", 1, 1)


def extend(
    engine: Engine, kek: KeyEncryptionKey, environment: str, stage: Stage, extension: Extension
) -> None:
    """Let a stage end later; one whose data is destroyed begins anew, with nothing in it."""
    key, who = audit_key(engine, kek, environment), audit.person(extension.by)
    act = f"stage of {stage.name} extended to {extension.until:%Y-%m-%d}: {extension.reason}"
    with audit.acting(engine, key, stage.tenant, act, 1, stage.name, stage.number, actor=who) as connection:
        integration = _integration(connection, stage)
        if stage.destroyed is not None:
            _insert(connection, integration, stage.number + 1, extension)
            return
        this = (STAGE.c.integration == integration) & (STAGE.c.number == stage.number)
        changed = {"ends": extension.until, "extended_by": extension.by, "reason": extension.reason}
        connection.execute(sa.update(STAGE).where(this).values(changed))


def _insert(connection: sa.Connection, integration: int, number: int, extension: Extension) -> None:
    row = {"integration": integration, "number": number, "began": now(), "ends": extension.until}
    connection.execute(STAGE.insert().values(**row, extended_by=extension.by, reason=extension.reason))


def _integration(connection: sa.Connection, stage: Stage) -> int:
    found = sa.select(INTEGRATION.c.id).where(
        INTEGRATION.c.tenant == stage.tenant, INTEGRATION.c.name == named(stage.name)
    )
    return int(connection.execute(found).scalar_one())


def destroy(engine: Engine, kek: KeyEncryptionKey, environment: str, stage: Stage) -> None:
    """Destroy a stage's key and rows, and fence out a run that goes on. May be cut off and called again."""
    with engine.connect() as connection:
        integration = _integration(connection, stage)
    if any(one.tenant == stage.key for one in keys.all_of(engine)):
        keys.destroy(engine, kek, environment, stage.key, sa.select(sa.literal(integration)))
    crashpoint("between a stage's key and its rows")
    key = audit_key(engine, kek, environment)
    act = f"data of the stage of {stage.name} destroyed"
    with audit.acting(engine, key, stage.tenant, act, 1, stage.name, stage.number) as connection:
        _remove(connection, integration)
        this = (STAGE.c.integration == integration) & (STAGE.c.number == stage.number)
        connection.execute(sa.update(STAGE).where(this).values(destroyed=now()))
    keys.scrub(engine)


def _remove(connection: sa.Connection, integration: int) -> None:
    entries = sa.select(ENTRY.c.ref).where(ENTRY.c.integration == integration)
    plans = sa.select(PLAN.c.id).where(PLAN.c.entry.in_(entries))
    for table in (KEPT, SHADOW):
        connection.execute(sa.delete(table).where(table.c.plan.in_(plans)))
    connection.execute(sa.delete(DELIVERY).where(DELIVERY.c.integration == integration))
    connection.execute(sa.delete(PLAN).where(PLAN.c.entry.in_(entries)))
    for table in (WORD, ENTRY, STAGED, MARK, JUDGEMENT, CURSOR, EMISSION):
        connection.execute(sa.delete(table).where(table.c.integration == integration))
