"""Learning: how an entry comes to be linked with a record, and what becomes of a link when that changes.

A link is learned from a delivery: the target itself said which record it wrote for the entry. What a person
may type makes none.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger import audit
from flows.ledger.links import CHUNK, MOVED, PURPOSE, TWICE, Link, hash_of, of_entries
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, ENTRY, INTEGRATION, LINK


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a delivery's answer said: the record that was written for an entry of the keeper's."""

    entry: str
    reference: str
    former_is_gone: bool = False  # the record it was linked with is not given any more
    patient: str = ""  # the entry's id, in staging


def unlearned(ledger: Ledger, keeper: str, operation: str) -> list[Learnt]:
    """Deliveries of the keeper's that said which record they wrote, and made no link yet."""
    newest = (
        sa.select(DELIVERY.c.entry, DELIVERY.c.reference_sealed)
        .join(INTEGRATION, INTEGRATION.c.id == DELIVERY.c.integration)
        .where(
            INTEGRATION.c.tenant == ledger.tenant,
            INTEGRATION.c.name == keeper,
            DELIVERY.c.operation == operation,
            DELIVERY.c.state == "done",
            DELIVERY.c.reference_sealed.is_not(None),
            ~sa.select(sa.literal(1)).where(LINK.c.entry == DELIVERY.c.entry).exists(),
        )
        .order_by(DELIVERY.c.entry, DELIVERY.c.version)
    )
    with ledger.reading() as connection:
        rows = {row.entry: row.reference_sealed for row in connection.execute(newest)}
    return [Learnt(entry, ledger.seal.open(sealed, "reference").decode()) for entry, sealed in rows.items()]


def learn(ledger: Ledger, pair: str, learnt: Sequence[Learnt]) -> None:
    """Link entries with the records that were written for them.

    One that was linked with another record follows it if that one is gone; else a person is to look.
    """
    if not learnt:
        return
    there = of_entries(ledger, [one.entry for one in learnt])
    new = [_row(ledger, pair, one) for one in learnt if one.entry not in there]
    moved = [(there[one.entry], one) for one in learnt if one.entry in there]
    changed = [(link, one) for link, one in moved if link.reader != one.reference or link.code == MOVED]
    if not (new or changed):
        return
    with ledger.writing("link") as connection:
        new = _not_there_yet(connection, new)
        if new:
            connection.execute(LINK.insert(), new)
        for link, one in changed:
            _follow(ledger, connection, pair, link, one)
        _doubt_shared(ledger, connection, pair, {hash_of(ledger, pair, one.reference) for one in learnt})
        refs = [str(row["ref"]) for row in new] + [link.ref for link, _ in changed]
        audit.add(ledger, connection, "entries linked", len(refs), *refs)


def _row(ledger: Ledger, pair: str, one: Learnt) -> dict[str, object]:
    return {
        "ref": f"k{secrets.token_hex(6)}",
        "tenant": ledger.tenant,
        "pair": pair,
        "entry": one.entry,
        "state": "learned",
        "code": "",
        "made": now(),
        **_of_record(ledger, pair, one.reference),
    }


def _not_there_yet(connection: Connection, rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Without those that the opposite run, which learns of the same deliveries, linked meanwhile."""
    there: set[object] = set()
    wanted = sorted(str(row["entry"]) for row in rows)  # both runs take their turns in one order
    for start in range(0, len(wanted), CHUNK):
        mine = wanted[start : start + CHUNK]
        locked = sa.select(ENTRY.c.ref).where(ENTRY.c.ref.in_(mine)).order_by(ENTRY.c.ref)
        connection.execute(locked.with_for_update())
        there.update(connection.execute(sa.select(LINK.c.entry).where(LINK.c.entry.in_(mine))).scalars())
    return [row for row in rows if row["entry"] not in there]


def _of_record(ledger: Ledger, pair: str, record: str) -> dict[str, object]:
    """What a link has of the record: with another one, nothing is agreed on any more."""
    return {
        "there_hash": hash_of(ledger, pair, record),
        "there_sealed": ledger.seal.seal(record.encode(), PURPOSE),
        "agreed": {},
        "contested": {},
        "changed": now(),
    }


def _follow(ledger: Ledger, connection: Connection, pair: str, link: Link, one: Learnt) -> None:
    values: dict[str, object] = {"state": "learned", "code": "", "changed": now()}
    if link.reader != one.reference:
        values |= _of_record(ledger, pair, one.reference) if one.former_is_gone else {}
        if not one.former_is_gone:
            values |= {"state": "review", "code": MOVED}
    connection.execute(sa.update(LINK).where(LINK.c.ref == link.ref).values(values))


def _doubt_shared(ledger: Ledger, connection: Connection, pair: str, hashes: Iterable[str]) -> None:
    """A record that is linked with two entries is neither's, until one of them is linked with another."""
    mine = (LINK.c.tenant == ledger.tenant) & (LINK.c.pair == pair)
    wanted = list(hashes)
    for start in range(0, len(wanted), CHUNK):
        several = (
            sa.select(LINK.c.there_hash)
            .where(mine, LINK.c.there_hash.in_(wanted[start : start + CHUNK]))
            .group_by(LINK.c.there_hash)
            .having(sa.func.count() > 1)
        )
        found = list(connection.execute(several).scalars())
        if found:
            doubted = sa.update(LINK).where(mine, LINK.c.there_hash.in_(found))
            connection.execute(doubted.values(state="review", code=TWICE))
    alone = sa.select(LINK.c.there_hash).where(mine).group_by(LINK.c.there_hash).having(sa.func.count() == 1)
    settled = sa.update(LINK).where(mine, LINK.c.code == TWICE, LINK.c.there_hash.in_(alone))
    connection.execute(settled.values(state="learned", code=""))
