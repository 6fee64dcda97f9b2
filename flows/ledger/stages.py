"""Stages: how long an integration may be tried in staging, and what is destroyed when that is over.

A stage has a data key of its own, so that destroying the key leaves nothing of it readable, and rows of its
own, which are removed. What stays is the audit, and of each run its counts.
"""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from flows.crash import crashpoint
from flows.errors import Spoken
from flows.ledger import audit, keys, stage_rows
from flows.ledger.audit_key import AuditKey
from flows.ledger.keys import Overtaken
from flows.ledger.stage_tables import STAGE
from flows.ledger.store import Ledger, audit_key, now
from flows.ledger.tables import INTEGRATION
from flows.naming import STAGING, mode_of
from flows.parameters import Parameters
from flows.vault import KeyEncryptionKey

LASTS = timedelta(days=7)


class StageOver(Spoken):
    """The time of staging is over. One line: what became of its data, and what to do."""


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

    def act(self, name: str) -> str:
        """What the audit says of it, if that is not longer than `audit.LONGEST`."""
        return f"stage of {name} extended to {self.until:%Y-%m-%d}: {self.reason}"


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
        StageOver: its time is over; its data is destroyed before this is said, as far as others let it.
    """
    at = now()  # before it is read: one that was extended a moment ago is not taken for one that is over
    stage = latest(engine, tenant, name)
    if stage is None:
        return key_name(tenant, name, 1)
    if stage.ends <= at:
        raise _ended(stage, destroyed=destroy(engine, kek, environment, stage))
    return stage.key


def _ended(stage: Stage, *, destroyed: bool) -> StageOver:
    data = "its data is destroyed" if destroyed else "ferry sweep destroys its data"
    return StageOver(
        f"{stage.label}: staging ended on {stage.ends:%Y-%m-%d %H:%M} UTC, and {data}. Go "
        f"live: ferry promote {stage.label}; or agree on more: ferry stage {stage.label} --until DATE"
    )


def require(ledger: Ledger, connection: Connection) -> None:
    """See, in the transaction that writes something sealed, that nobody ended the stage since it was opened.

    Raises:
        StageOver: it is a stage's ledger, and no sweep would remove what is written of it now.
    """
    for stage in _found(connection, INTEGRATION.c.id == ledger.integration):
        if stage.key == ledger.key and stage.over:
            raise _ended(stage, destroyed=stage.destroyed is not None)


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
    with engine.connect() as connection:
        return _found(connection, which)


def _found(connection: Connection, which: sa.ColumnElement[bool]) -> list[Stage]:
    """Newest first."""
    row = STAGE.c
    query = (
        sa.select(INTEGRATION.c.tenant, INTEGRATION.c.name, row.number, row.began, row.ends, row.destroyed)
        .join(INTEGRATION, INTEGRATION.c.id == row.integration)
        .where(which)
        .order_by(row.number.desc())
    )
    found = connection.execute(query).all()
    return [Stage(one.tenant, one.name.removesuffix(STAGING), *one[2:]) for one in found]


def begin(ledger: Ledger) -> None:
    """The clock starts with the first run. Does nothing if it runs already. The lease is held."""
    if latest(ledger.engine, ledger.tenant, mode_of(ledger.name)[0]) is None:
        with ledger.writing("stage begins") as connection:
            _insert(connection, ledger.integration, 1, Extension(now() + LASTS))
            audit.add(ledger, connection, "stage begins", 1, 1)


def extend(
    engine: Engine, kek: KeyEncryptionKey, environment: str, stage: Stage, extension: Extension
) -> None:
    """Let an integration's stage end later; one that is over begins anew, with nothing in it.

    Raises:
        StageInUse: what it left cannot be scrubbed just now.
    """
    key = audit_key(engine, kek, environment)
    while not _extended(engine, key, stage, extension):
        for left in over(engine, now()):
            if left.label == stage.label and not destroy(engine, kek, environment, left):
                raise StageInUse(
                    f"{stage.label}: the ledger is in use, so its last stage is not scrubbed yet; try again"
                )


def _extended(engine: Engine, key: AuditKey, stage: Stage, extension: Extension) -> bool:
    """Decided by what is there in this transaction. False: one that is over is to be destroyed first."""
    act, who = extension.act(stage.name), audit.person(extension.by)
    changed = {"ends": extension.until, "extended_by": extension.by, "reason": extension.reason}
    with (
        suppress(Overtaken),
        audit.acting(engine, key, stage.tenant, act, 1, stage.name, stage.number, actor=who) as connection,
    ):
        integration = _integration(connection, stage)
        there = (STAGE.c.integration == integration) & STAGE.c.destroyed.is_(None)
        going = sa.update(STAGE).where(there, STAGE.c.ends > now())
        if connection.execute(going.values(changed)).rowcount == 0:
            if connection.execute(sa.select(STAGE.c.number).where(there)).first():
                raise Overtaken
            stage_rows.remove(connection, integration)
            _insert(connection, integration, _last(connection, integration) + 1, extension)
        return True
    return False


def _insert(connection: Connection, integration: int, number: int, extension: Extension) -> None:
    row = {"integration": integration, "number": number, "began": now(), "ends": extension.until}
    connection.execute(STAGE.insert().values(**row, extended_by=extension.by, reason=extension.reason))


def _last(connection: Connection, integration: int) -> int:
    newest = sa.select(sa.func.max(STAGE.c.number)).where(STAGE.c.integration == integration)
    return int(connection.execute(newest).scalar_one())


def _integration(connection: Connection, stage: Stage) -> int:
    found = sa.select(INTEGRATION.c.id).where(
        INTEGRATION.c.tenant == stage.tenant, INTEGRATION.c.name == named(stage.name)
    )
    return int(connection.execute(found).scalar_one())


def _this(connection: Connection, stage: Stage) -> sa.ColumnElement[bool]:
    """Its row, as long as its data is not destroyed."""
    mine = STAGE.c.integration == _integration(connection, stage)
    return mine & (STAGE.c.number == stage.number) & STAGE.c.destroyed.is_(None)


def destroy(engine: Engine, kek: KeyEncryptionKey, environment: str, stage: Stage) -> bool:
    """End a stage: its key and rows are destroyed, and a run that goes on is fenced out.

    May be cut off anywhere: from its first step on the stage is over, and whoever meets it goes on. Each step
    is in the audit once, whoever does it.

    Returns:
        False if others who read the ledger kept its files from being scrubbed: then it is to be called again.
    """
    if stage.destroyed is not None:
        return True
    key = audit_key(engine, kek, environment)
    if not stage.over:
        _end(engine, key, stage)
    with engine.connect() as connection:
        integration = _integration(connection, stage)
    if any(one.tenant == stage.key for one in keys.all_of(engine)):
        keys.destroy(engine, kek, environment, stage.key, sa.select(sa.literal(integration)))
    _remove(engine, key, stage)
    scrubbed = keys.scrub(engine)
    if scrubbed:
        _done(engine, key, stage)
    return scrubbed


def _end(engine: Engine, key: AuditKey, stage: Stage) -> None:
    with _step(engine, key, stage, f"stage of {stage.name} ended") as here:
        going = sa.update(STAGE).where(_this(here, stage), STAGE.c.ends > now())
        if here.execute(going.values(ends=now())).rowcount != 1:
            raise Overtaken
    crashpoint("after stage is over")


def _remove(engine: Engine, key: AuditKey, stage: Stage) -> None:
    with _step(engine, key, stage, f"rows of the stage of {stage.name} removed") as here:
        there = here.execute(sa.select(STAGE.c.number).where(_this(here, stage))).first()
        if there is None or not stage_rows.remove(here, _integration(here, stage)):
            raise Overtaken  # a newer stage may have rows
    crashpoint("after rows of stage are removed")


def _done(engine: Engine, key: AuditKey, stage: Stage) -> None:
    crashpoint("before stage is destroyed")
    with _step(engine, key, stage, f"data of the stage of {stage.name} destroyed") as here:
        if here.execute(sa.update(STAGE).where(_this(here, stage)).values(destroyed=now())).rowcount != 1:
            raise Overtaken


@contextmanager
def _step(engine: Engine, key: AuditKey, stage: Stage, act: str) -> Generator[Connection]:
    """A step of an end, with its event; nothing of both if Overtaken is raised: it was done before."""
    with (
        suppress(Overtaken),
        audit.acting(engine, key, stage.tenant, act, 1, stage.name, stage.number) as connection,
    ):
        yield connection
