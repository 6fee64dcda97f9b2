"""What is known of each entry: its pseudonym, its last version, whether it is open."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger import audit, links
from flows.ledger.newest import NEWEST
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, ENTRY, PLAN

ATTEMPTS = 3  # decisions that fail in a row; then a change, or a person, must come first
CHUNK = 500
STATE_OF_KIND = {"write": "planned", "skip": "skipped", "review": "review", "refused": "quarantined"}
MAY_COME_BACK = ("unreadable", "restricted")  # why an entry was not given, if that may change unseen
NOT_GIVEN = "unknown"  # the source gave nothing for it: it is gone, or access failed for a moment


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds of one entry. A new one has version 0 and no fingerprint.

    One that is away (the source did not give it when last asked), or was set aside because of its link, has
    the state of its last decision.
    """

    ref: str
    patient: str
    patient_hash: str
    fingerprint: str = ""
    version: int = 0
    state: str = ""
    attempts: int = 0
    again_on: date | None = None
    away: bool = False
    code: str = ""
    instructions: str = ""  # that its last decision was made by
    rest: str = ""  # of a pair's: the fingerprint without what goes both ways

    def is_open(self, instructions: str) -> bool:
        """A decision that failed and may be tried again although nothing changed in the entry."""
        again = self.attempts < ATTEMPTS or self.instructions != instructions
        return self.state == "quarantined" and again


def hash_of(ledger: Ledger, patient: str) -> str:
    return ledger.seal.keyed_hash("patient", ledger.integration, patient)


def known(ledger: Ledger, patients: Sequence[str]) -> dict[str, Known]:
    """What is known of these patients, by patient id; new ones get a pseudonym."""
    by_hash = {hash_of(ledger, patient): patient for patient in patients}
    found: dict[str, Known] = {}
    query = (
        sa.select(ENTRY, PLAN.c.kind, PLAN.c.code.label("plan_code"), PLAN.c.instructions)
        .select_from(ENTRY)
        .outerjoin(PLAN, NEWEST)
        .where(ENTRY.c.integration == ledger.integration, ENTRY.c.patient_hash.in_(by_hash))
    )
    with ledger.reading() as connection:
        for row in connection.execute(query):
            patient = by_hash[row.patient_hash]
            away = row.state == "absent"
            decided = row.kind if away or row.code in links.ASIDE else None
            found[patient] = Known(
                ref=row.ref,
                patient=patient,
                patient_hash=row.patient_hash,
                fingerprint=row.fingerprint,
                version=row.version,
                state=STATE_OF_KIND[decided] if decided else row.state,
                attempts=row.attempts,
                again_on=row.again_on,
                away=away,
                code=row.plan_code if decided else row.code,
                instructions=row.instructions or "",
                rest=row.rest or "",
            )
    for patient_hash, patient in by_hash.items():
        if patient not in found:
            found[patient] = Known(ref=new_ref(), patient=patient, patient_hash=patient_hash)
    return found


def pseudonyms(ledger: Ledger, patients: Sequence[str]) -> dict[str, str]:
    """The pseudonyms of these patients, by patient id; of those that are known."""
    return {patient: one.ref for patient, one in known(ledger, patients).items() if one.version or one.state}


def new_ref() -> str:
    return f"e{secrets.token_hex(6)}"


def seen(ledger: Ledger, connection: Connection, refs: Iterable[str]) -> None:
    """Note that these entries were read and found unchanged."""
    values = {"seen_run": ledger.run, "seen": now()}
    listed = list(refs)
    for start in range(0, len(listed), CHUNK):
        connection.execute(
            sa.update(ENTRY).where(ENTRY.c.ref.in_(listed[start : start + CHUNK])).values(values)
        )


def back(ledger: Ledger, connection: Connection, entry: Known) -> None:
    """Note that an entry that was away was read again, and is as it was when it was decided."""
    connection.execute(
        sa.update(ENTRY)
        .where(ENTRY.c.ref == entry.ref)
        .values(state=entry.state, code=entry.code, attempts=0)
    )


def absent(ledger: Ledger, connection: Connection, entry: Known, code: str, *, listed: bool = True) -> None:
    """Note that an entry was asked for and not given. Its version and its plan stay.

    One that the source lists and does not give is asked for again, a few times.
    """
    attempts = entry.attempts + 1 if listed and code == NOT_GIVEN else ATTEMPTS
    away = {"state": "absent", "code": code, "attempts": attempts}
    if entry.state:
        away |= {"seen_run": ledger.run}
        connection.execute(sa.update(ENTRY).where(ENTRY.c.ref == entry.ref).values(away | {"seen": now()}))
    else:
        row = row_of(ledger, entry, fingerprint=entry.fingerprint, version=entry.version)
        connection.execute(ENTRY.insert().values(row | away))


@dataclass(frozen=True, slots=True)
class SetAside:
    """An entry that was read and not decided. Without a fingerprint it is looked at whenever it is named."""

    known: Known
    state: str
    code: str
    fingerprint: str
    rest: str


def set_aside(ledger: Ledger, connection: Connection, asides: Sequence[SetAside]) -> None:
    """Note entries that were not decided, and why. Their version and their plan stay."""
    for one in asides:
        # what has its fingerprint is as it was decided, if it ever was
        decided = bool(one.fingerprint and one.known.version)
        values: dict[str, object] = {
            "state": one.state,
            "code": one.known.code if decided else one.code,
            "fingerprint": one.fingerprint,
            "rest": one.rest,
            "attempts": one.known.attempts if decided else 0,
        }
        if one.known.state:
            values |= {"seen_run": ledger.run, "seen": now()}
            connection.execute(sa.update(ENTRY).where(ENTRY.c.ref == one.known.ref).values(values))
        else:
            row = row_of(ledger, one.known, fingerprint=one.fingerprint, version=one.known.version)
            connection.execute(ENTRY.insert().values(row | values))
    hashes = [one.known.patient_hash for one in asides]
    audit.add(ledger, connection, "entries not to be decided", len(hashes), *hashes)


def row_of(ledger: Ledger, entry: Known, *, fingerprint: str, version: int) -> dict[str, object]:
    return {
        "ref": entry.ref,
        "integration": ledger.integration,
        "patient_hash": entry.patient_hash,
        "patient_sealed": ledger.seal.seal(entry.patient.encode(), "patient"),
        "fingerprint": fingerprint,
        "rest": None,
        "version": version,
        "code": "",
        "attempts": 0,
        "again_on": None,
        "seen_run": ledger.run,
        "seen": now(),
        "decided": None,
    }


def to_try_again(ledger: Ledger, today: date, instructions: str) -> list[str]:
    """Patients whose entries are open, could not be read, or are to be decided again by this day.

    Refused ones are open a few times, and once more under other instructions.
    """
    made_by = sa.select(PLAN.c.instructions).where(NEWEST).correlate(ENTRY).scalar_subquery()
    again = (ENTRY.c.attempts < ATTEMPTS) | (made_by != instructions)
    open_ones = (ENTRY.c.state == "quarantined") & again
    for_a_while = (ENTRY.c.code == NOT_GIVEN) & (ENTRY.c.attempts < ATTEMPTS)
    unread = (ENTRY.c.state == "absent") & (ENTRY.c.code.in_(MAY_COME_BACK) | for_a_while)
    return _patients(ledger, open_ones | unread | (ENTRY.c.again_on <= today))


def waiting(ledger: Ledger, operation: str, patients: Sequence[str]) -> set[str]:
    """Those of these patients whose newest version was decided, and whose delivery did not arrive yet."""
    hashes = {hash_of(ledger, patient): patient for patient in patients}
    query = (
        sa.select(ENTRY.c.patient_hash)
        .join(DELIVERY, (DELIVERY.c.entry == ENTRY.c.ref) & (DELIVERY.c.version == ENTRY.c.version))
        .where(ENTRY.c.integration == ledger.integration, DELIVERY.c.operation == operation)
        .where(DELIVERY.c.state != "done", ENTRY.c.patient_hash.in_(hashes))
    )
    with ledger.reading() as connection:
        return {hashes[found] for found in connection.execute(query).scalars()}


def quarantined(ledger: Ledger) -> int:
    """How many entries are refused, in whatever run that was."""
    return _number(ledger, ENTRY.c.state == "quarantined")


def decided_otherwise(ledger: Ledger, instructions: str) -> int:
    """How many entries were last decided by other instructions than these."""
    other = sa.select(sa.literal(1)).where(NEWEST, PLAN.c.instructions != instructions).correlate(ENTRY)
    return _number(ledger, other.exists())


def everyone(ledger: Ledger) -> list[str]:
    """Every patient that the ledger has an entry of."""
    return _patients(ledger, sa.true())


def count(ledger: Ledger) -> int:
    """How many entries the ledger has."""
    return _number(ledger, sa.true())


def number(ledger: Ledger, state: str, code: str) -> int:
    """How many entries are in a state for a reason."""
    return _number(ledger, (ENTRY.c.state == state) & (ENTRY.c.code == code))


def set_aside_for(ledger: Ledger, codes: Collection[str]) -> list[str]:
    """Patients whose entries were set aside for one of these reasons."""
    return _patients(ledger, (ENTRY.c.state == "review") & ENTRY.c.code.in_(codes))


def _number(ledger: Ledger, which: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(ENTRY).where(ENTRY.c.integration == ledger.integration)
    with ledger.reading() as connection:
        return connection.execute(query.where(which)).scalar_one()


def reading(ledger: Ledger, connection: Connection, patients: Iterable[Known]) -> None:
    """Note that these entries are about to be read."""
    hashes = [one.patient_hash for one in patients]
    audit.add(ledger, connection, "entries read", len(hashes), *hashes)


def _patients(ledger: Ledger, which: sa.ColumnElement[bool]) -> list[str]:
    with ledger.reading() as connection:
        sealed = connection.execute(
            sa.select(ENTRY.c.patient_sealed).where(ENTRY.c.integration == ledger.integration, which)
        ).scalars()
        return [ledger.seal.open(value, "patient").decode() for value in sealed]


def reopen(ledger: Ledger, connection: Connection) -> int:
    """Give every quarantined entry its attempts back. Returns how many."""
    number = connection.execute(
        sa.update(ENTRY)
        .where(ENTRY.c.integration == ledger.integration, ENTRY.c.state == "quarantined")
        .values(attempts=0)
    ).rowcount
    audit.add(ledger, connection, "quarantined entries opened again", number)
    return number


def open_entries(ledger: Ledger) -> list[tuple[str, str, int]]:
    """How many entries wait, for what: (state, code, number)."""
    query = (
        sa.select(ENTRY.c.state, ENTRY.c.code, sa.func.count())
        .where(
            ENTRY.c.integration == ledger.integration, ENTRY.c.state.in_(("review", "quarantined", "absent"))
        )
        .group_by(ENTRY.c.state, ENTRY.c.code)
        .order_by(ENTRY.c.state, ENTRY.c.code)
    )
    with ledger.reading() as connection:
        return [(state, code, number) for state, code, number in connection.execute(query)]
