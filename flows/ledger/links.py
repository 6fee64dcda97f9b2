"""Links: which entry of one integration is which record of the one paired with it, and what both held last.

flows/ledger/learning.py makes them, from what a delivery's answer said. Both directions read and write them;
what is merged, is merged within the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from flows.ledger import audit
from flows.ledger.store import Ledger, now
from flows.ledger.tables import ENTRY, LINK

Side = Literal["keeper", "reader"]
IDENTITY = "identity_differs"  # the record does not hold the id of the entry that it is linked with
TWICE = "linked_twice"  # the target wrote one record for two entries
MOVED = "reference_differs"  # it wrote another record than before, and the former is there, too
UNLINKED = "unlinked"  # a record of the reader's that was never written for an entry of the keeper's
CLAIMED = "not_our_link"  # the same, and it names one all the same
ASIDE = frozenset({IDENTITY, TWICE, MOVED, UNLINKED, CLAIMED})  # why an entry is not decided
SAID = frozenset({TWICE, MOVED})  # what a delivery's answer said: no reading takes it back
CHUNK = 500
PURPOSE = "linked"


@dataclass(frozen=True, slots=True)
class Link:
    """One link, opened. agreed: by field and side, keyed hashes. contested: by field, who is to say."""

    ref: str
    entry: str  # the keeper's, by its pseudonym
    keeper: str  # the id at the keeper's source
    reader: str  # the id at the reader's
    state: str
    code: str
    agreed: Mapping[str, Mapping[str, str]]
    contested: Mapping[str, str]

    def at(self, side: Side) -> str:
        """The id of the record on that side."""
        return self.keeper if side == "keeper" else self.reader


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides hold of a link's fields now, as hashes; and who is to say which of them.

    contested: "" takes the field off that list.
    """

    ref: str
    fields: Mapping[str, Mapping[str, str]]
    contested: Mapping[str, str]


def value_hash(ledger: Ledger, pair: str, record: str, field: str, folded: str) -> str:
    """Names a value of one record's field: equal values of two records are not to be seen as equal."""
    return ledger.seal.keyed_hash("agreed", pair, record, field, folded)


def of_entries(ledger: Ledger, entries: Sequence[str]) -> dict[str, Link]:
    """The links of the keeper's entries, by their pseudonyms."""
    return {one.entry: one for one in _found(ledger, LINK.c.entry, entries)}


def of_records(ledger: Ledger, pair: str, records: Sequence[str]) -> dict[str, list[Link]]:
    """The links of the reader's records, by their ids; more than one where something is wrong."""
    hashes = {hash_of(ledger, pair, one): one for one in records}
    found: dict[str, list[Link]] = {}
    for link in _found(ledger, LINK.c.there_hash, list(hashes), pair):
        found.setdefault(link.reader, []).append(link)
    return found


def contested(ledger: Ledger, pair: str, side: Side) -> list[str]:
    """The ids, on that side, of the records whose newer value that side is to carry."""
    mine = (LINK.c.tenant == ledger.tenant) & (LINK.c.pair == pair)
    with ledger.reading() as connection:
        rows = connection.execute(_query().where(mine, LINK.c.contested.cast(sa.String) != "{}")).all()
    return [_opened(ledger, row).at(side) for row in rows if side in row.contested.values()]


def confirm(ledger: Ledger, links: Iterable[Link]) -> None:
    """The record holds the id of the entry it is linked with: what was doubted for that is right again."""
    _mark(ledger, [one for one in links if confirmable(one)], "confirmed", "", "links confirmed")


def doubt(ledger: Ledger, links: Iterable[Link], code: str = IDENTITY) -> None:
    """The record does not: nothing goes either way before a person has looked."""
    _mark(ledger, [one for one in links if one.state != "review"], "review", code, "links doubted")


def agree(ledger: Ledger, agreed: Sequence[Agreed]) -> None:
    """Note what both sides hold now."""
    if not agreed:
        return
    with ledger.writing("agree") as connection:
        refs = [one.ref for one in agreed]
        locked = sa.select(LINK.c.ref, LINK.c.agreed, LINK.c.contested).where(LINK.c.ref.in_(refs))
        rows = {row.ref: row for row in connection.execute(locked.with_for_update())}
        changes = [_merged(rows[one.ref], one) for one in agreed if one.ref in rows]
        connection.execute(
            sa.update(LINK)
            .where(LINK.c.ref == sa.bindparam("b_ref"))
            .values(
                agreed=sa.bindparam("b_agreed", type_=sa.JSON),
                contested=sa.bindparam("b_contested", type_=sa.JSON),
                changed=now(),
            ),
            changes,
        )
        audit.add(ledger, connection, "fields agreed", len(refs), *refs)


def tell(ledger: Ledger) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Of the integration's pair: how many links by state and code, and (entry, field) for a person to say."""
    name = ledger.name
    mine = LINK.c.pair.startswith(f"{name}+", autoescape=True) | LINK.c.pair.endswith(
        f"+{name}", autoescape=True
    )
    query = sa.select(LINK.c.entry, LINK.c.state, LINK.c.code, LINK.c.contested).where(
        LINK.c.tenant == ledger.tenant, mine
    )
    counts: dict[str, int] = {}
    contested: list[tuple[str, str]] = []
    with ledger.reading() as connection:
        for row in connection.execute(query):
            state = f"{row.state} ({row.code})" if row.code else str(row.state)
            counts[state] = counts.get(state, 0) + 1
            contested += [(row.entry, field) for field, whose in row.contested.items() if whose == "person"]
    return counts, contested


def _query() -> sa.Select[tuple[object, ...]]:
    return sa.select(LINK, ENTRY.c.patient_sealed).join(ENTRY, ENTRY.c.ref == LINK.c.entry)


def _found(
    ledger: Ledger, column: sa.ColumnElement[str], values: Sequence[str], pair: str = ""
) -> Iterable[Link]:
    query = _query().where(LINK.c.tenant == ledger.tenant)
    if pair:
        query = query.where(LINK.c.pair == pair)
    with ledger.reading() as connection:
        for start in range(0, len(values), CHUNK):
            part = query.where(column.in_(values[start : start + CHUNK]))
            yield from [_opened(ledger, row) for row in connection.execute(part)]


def _opened(ledger: Ledger, row: "sa.Row[tuple[object, ...]]") -> Link:
    return Link(
        ref=row.ref,
        entry=row.entry,
        keeper=ledger.seal.open(row.patient_sealed, "patient").decode(),
        reader=ledger.seal.open(row.there_sealed, PURPOSE).decode(),
        state=row.state,
        code=row.code,
        agreed=row.agreed,
        contested=row.contested,
    )


def hash_of(ledger: Ledger, pair: str, record: str) -> str:
    return ledger.seal.keyed_hash("linked", pair, record)


def confirmable(link: Link) -> bool:
    return link.state == "learned" or link.code == IDENTITY


def _mark(ledger: Ledger, links: Sequence[Link], state: str, code: str, act: str) -> None:
    refs = [one.ref for one in links]
    if not refs:
        return
    with ledger.writing("mark links") as connection:
        for start in range(0, len(refs), CHUNK):
            part = LINK.c.ref.in_(refs[start : start + CHUNK])
            connection.execute(sa.update(LINK).where(part).values(state=state, code=code, changed=now()))
        audit.add(ledger, connection, act, len(refs), *refs)


def _merged(row: "sa.Row[tuple[object, ...]]", one: Agreed) -> dict[str, object]:
    whose = {**row.contested, **one.contested}
    return {
        "b_ref": one.ref,
        "b_agreed": {**row.agreed, **one.fields},
        "b_contested": {field: who for field, who in whose.items() if who},
    }
