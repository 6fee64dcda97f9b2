"""What plans were decided on, kept sealed beside them so that they can be decided again: `ferry replay`.

An entry as it was read, and the run's day. It goes when its time is over, or with the tenant's key.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from agent.case import Case
from agent.plan import Plan, Refused
from flows.errors import Spoken
from flows.ledger import audit
from flows.ledger.store import Ledger, now
from flows.ledger.tables import INTEGRATION, KEPT, PLAN, RUN
from flows.naming import mode_of
from flows.parameters import Mode

PURPOSE = "kept"
LEVEL = 1  # of compression: the fastest takes a third of what is there, the best a few percent more
PAGE = 200  # plans opened at a time


class RunUnknown(Spoken):
    """The ledger has no such run. One line."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run as replay needs it."""

    id: str
    label: str
    mode: Mode
    fields: tuple[str, ...]  # that were read of each entry
    instructions: str


@dataclass(frozen=True, slots=True)
class Again:
    """A plan of a past run, with what it was decided on; None if that is not kept any more."""

    ref: str
    version: int
    patient: str
    outcome: Plan | Refused
    case: Case | None


def row(ledger: Ledger, plan: str, case: Case) -> dict[str, object]:
    """What a plan was decided on, as a row."""
    content = {"entry": dict(case.entry), "known": dict(case.known), "today": case.today.isoformat()}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    sealed = ledger.seal.seal(zlib.compress(text, LEVEL), PURPOSE)
    return {"plan": plan, "run": ledger.run, "sealed": sealed}


def find(engine: sa.Engine, run: str) -> PastRun:
    """A run by its id, whatever integration it is of.

    Raises:
        RunUnknown: there is none.
    """
    query = (
        sa.select(RUN.c.fields, RUN.c.instructions, INTEGRATION.c.tenant, INTEGRATION.c.name)
        .join(INTEGRATION, INTEGRATION.c.id == RUN.c.integration)
        .where(RUN.c.id == run)
    )
    with engine.connect() as connection:
        found = connection.execute(query).one_or_none()
    if found is None:
        raise RunUnknown(f"{run}: the ledger has no such run; ferry status names the last one")
    label, mode = mode_of(f"{found.tenant}/{found.name}")
    return PastRun(run, label, mode, tuple(found.fields), found.instructions)


def of_run(ledger: Ledger, run: str) -> Iterator[list[Again]]:
    """The plans of a run with what they were decided on, page by page. Each is opened when it is given."""
    after = ""
    while rows := _page(ledger, run, after):
        yield [opened(ledger, one.entry, one.version, one.sealed, one.kept) for one in rows]
        after = rows[-1].id


def of_plan(ledger: Ledger, plan: str) -> Again | None:
    """One plan by its id, with what it was decided on."""
    with ledger.reading() as connection:
        row = connection.execute(_query().where(PLAN.c.id == plan)).one_or_none()
    return None if row is None else opened(ledger, row.entry, row.version, row.sealed, row.kept)


def _query() -> "sa.Select[tuple[object, ...]]":
    columns = (PLAN.c.id, PLAN.c.entry, PLAN.c.version, PLAN.c.sealed, KEPT.c.sealed.label("kept"))
    return sa.select(*columns).outerjoin(KEPT, KEPT.c.plan == PLAN.c.id)


def _page(ledger: Ledger, run: str, after: str) -> "list[sa.Row[tuple[object, ...]]]":
    query = _query().where(PLAN.c.run == run, PLAN.c.id > after).order_by(PLAN.c.id).limit(PAGE)
    with ledger.reading() as connection:
        return list(connection.execute(query))


def opened(ledger: Ledger, ref: str, version: int, plan: bytes, decided_on: bytes | None) -> Again:
    """A sealed plan with what it was decided on, that sealed as well; None: that is not kept any more."""
    planned = json.loads(ledger.seal.open(plan, "plan"))
    outcome, patient = planned["outcome"], str(planned["patient"])
    made = Refused.model_validate(outcome) if "code" in outcome else Plan.model_validate(outcome)
    case: Case | None = None
    if decided_on is not None:
        case = case_of(ledger, decided_on, patient, made.judged if isinstance(made, Plan) else {})
    return Again(ref, version, patient, made, case)


def case_of(ledger: Ledger, sealed: bytes, patient: str, judged: Mapping[str, str]) -> Case:
    """What a plan was decided on, as it was kept."""
    content = json.loads(zlib.decompress(ledger.seal.open(sealed, PURPOSE)))
    return Case(patient, content["entry"], content["known"], date.fromisoformat(content["today"]), judged)


def let_go(ledger: Ledger, connection: Connection, after: timedelta) -> int:
    """Remove what plans of runs that began longer ago were decided on. Returns how many."""
    old = sa.select(RUN.c.id).where(
        RUN.c.integration == ledger.integration, RUN.c.started < now() - after, RUN.c.id != ledger.run
    )
    number = connection.execute(sa.delete(KEPT).where(KEPT.c.run.in_(old))).rowcount
    if number:
        audit.add(ledger, connection, "entries kept for replay removed", number)
    return number
