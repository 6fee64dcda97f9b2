"""The sweeper: no flow run stays "Running" in Prefect once its process is gone.

Prefect believes what a process last said. The ledger knows better: who works renews a lease. A flow run
that has lost it, or never took it, is set to Crashed with a line that says who goes on.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from flows import flow_runs
from flows.errors import Spoken
from flows.flow_runs import Unfinished
from flows.ledger import stages
from flows.ledger.database import database_clock
from flows.ledger.lease import is_dead
from flows.ledger.stages import Stage
from flows.ledger.store import now
from flows.ledger.tables import INTEGRATION, LEASE, RUN
from flows.parameters import Parameters
from flows.settings import Settings
from flows.vault.configured import key_encryption_key

PENDING = timedelta(minutes=15)  # a container may take minutes to start
DRY_RUN = timedelta(hours=6)  # a dry run takes no lease: only its age tells


@dataclass(frozen=True, slots=True)
class Swept:
    """A flow run that was set to Crashed."""

    flow_run: str
    asked: Parameters
    message: str


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds an integration, as the lease says."""

    run: str
    flow_run: str
    alive: bool


def end_stages(ledger: Engine, settings: Settings, failed: list[str]) -> Iterator[Stage]:
    """Destroy the data of every stage whose time is over, also if nobody runs it any more.

    One that cannot be ended now adds a line to `failed` and keeps no other from its end.
    """
    for one in stages.over(ledger, now()):
        with noted(failed, f"{one.label}: its stage is over, and its data is still there: "):
            kek = key_encryption_key(settings)
            if stages.destroy(ledger, kek, settings.env, one):  # else the next sweep goes on with it
                yield one


@contextmanager
def noted(failed: list[str], where: str = "") -> Generator[None]:
    """What cannot be done now adds a line to `failed`, without a value; the next sweep tries it again."""
    try:
        yield
    except Spoken as error:
        failed.append(f"{where}{error}")
    except SQLAlchemyError as error:
        failed.append(f"{where}the ledger's database did not do its part ({type(error).__name__})")


def sweep(ledger: Engine, settings: Settings, only: Parameters | None = None) -> Iterator[Swept]:
    """Set to Crashed every flow run of ours whose process is gone; of one integration, or of all.

    Flow runs of another environment, and tenants that neither this ledger nor our deployments know, are
    another installation's, and left alone.

    Raises:
        ServerUnavailable: Prefect's server does not answer.
    """
    for one in list(flow_runs.unfinished()):
        if only and (one.asked.label, one.asked.mode) != (only.label, only.mode):
            continue
        if one.environment not in ("", settings.env):
            continue
        if message := _gone(ledger, one, settings):
            flow_runs.crash(one, message)
            yield Swept(str(one.id), one.asked, message)
    flow_runs.end_left_over()


def _gone(ledger: Engine, one: Unfinished, settings: Settings) -> str:
    """Why its process is surely gone, or "" where it may be alive."""
    age = datetime.now(UTC) - one.since
    if not one.running:
        return "never_started: it was taken up and no process began; start it again" if age > PENDING else ""
    if one.asked.dry_run:
        return "cut_off: a dry run without an end; start it again" if age > DRY_RUN else ""
    integration = _integration(ledger, one.asked)
    if integration is None and not (settings.deployments / one.asked.tenant / "tenant.yaml").is_file():
        return ""
    holding = None if integration is None else _holding(ledger, integration)
    if holding and holding.alive and holding.flow_run == str(one.id):
        return ""
    return _verdict(ledger, one, timedelta(seconds=settings.lease_seconds), holding)


def _verdict(ledger: Engine, one: Unfinished, lease: timedelta, holding: Holding | None) -> str:
    heir = f"run {holding.run}" if holding and holding.alive else f"the next run of {one.asked.label}"
    with ledger.connect() as connection:
        mine = sa.select(RUN).where(RUN.c.flow_run == str(one.id)).order_by(RUN.c.started.desc())
        row = connection.execute(mine).first()  # one that was suspended and resumed has two
    if row is None and datetime.now(UTC) - one.since < lease:  # it may be about to take its lease
        return ""
    if row is None:
        return f"cut_off: its process ended before it began to work; {heir} does what was to be done"
    if row.state in ("running", "cut_off"):
        return f"cut_off: run {row.id} was ended from outside and lost its lease; {heir} takes over"
    if row.ended and datetime.now(UTC) - row.ended < lease:  # it may be about to tell Prefect
        return ""
    return f"cut_off: run {row.id} ended ({row.state}), and its process before it could say so here"


def _integration(ledger: Engine, asked: Parameters) -> int | None:
    query = sa.select(INTEGRATION.c.id).where(
        INTEGRATION.c.tenant == asked.tenant, INTEGRATION.c.name == stages.in_mode(asked)
    )
    with ledger.connect() as connection:
        return connection.execute(query).scalar_one_or_none()


def _holding(ledger: Engine, integration: int) -> Holding | None:
    with ledger.connect() as connection:
        row = connection.execute(sa.select(LEASE).where(LEASE.c.integration == integration)).first()
        if row is None:
            return None
        alive = row.expires > database_clock(connection) and not is_dead(row.holder)
    return Holding(row.run or "", row.flow_run, alive)
