"""What one table would refuse, asked of the database and written nowhere."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from connectors.errors import Rejected
from connectors.operation import Claim, Item, Need, Outcome
from connectors.sql import rules, schema
from connectors.sql.database import Database
from connectors.sql.rules import Foreign, Rules, Values
from connectors.sql.target import Target
from connectors.tabular import Record

Told = Outcome | Claim | Need
Having = Sequence[tuple[Record, Values]]


class Image:
    """The read-only side of a target. In a connection that only reads the table is looked at once.

    others: all targets of the database: their rows may be needed before this one's.
    """

    def __init__(self, database: Database, target: Target, others: Sequence[Target]) -> None:
        self._database, self._target, self._others = database, target, others
        self._seen: tuple[schema.Shape, Rules | None] | None = None

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What the table refuses of these rows alone, as they are inserted. Makes nothing."""
        shape, known = self._look()
        records, outcomes = self._target.rows.records(items, shape.objection)
        if known is None:
            return outcomes
        null = [one for one in records if rules.lacks(known, rules.row_of(one, self._target.table))]
        rest = [one for one in records if one not in null]
        wrong = self._broken(known, rest, over=False)
        return [*outcomes, *_refused(null, "not_null"), *_refused(wrong, "check")]

    def rules(self, items: Sequence[Item]) -> list[Told]:
        """What it refuses of them beside the rows that are there."""
        known = self._look()[1]
        if known is None:
            return []
        records, _ = self._target.rows.records(items, lambda _key, _values: None)
        wrong = self._broken(known, records, over=True)
        return [*_refused(wrong, "check"), *self._database.read(partial(self._beside, known, records))]

    def _look(self) -> tuple[schema.Shape, Rules | None]:
        if self._seen is not None:
            return self._seen
        target = self._target
        asked = partial(rules.look, wanted=target.wanted, table=target.table)
        seen = _made(target.look(), self._database.read(asked))
        if self._database.read_only:
            self._seen = seen
        return seen

    def _broken(self, known: Rules, records: Sequence[Record], *, over: bool) -> list[Record]:
        """The rows that break a check; none, where the database cannot say so in a SELECT."""
        rows = [rules.row_of(one, self._target.table) for one in records]
        ask = partial(rules.broken, rules=known, wanted=self._target.wanted, rows=rows, over=over)
        try:
            return [records[at] for at in sorted(self._database.read(ask))] if known.checks else []
        except Rejected:
            return []

    def _beside(self, known: Rules, records: Sequence[Record], connection: sa.Connection) -> list[Told]:
        target, beside = self._target, (*known.unique, *(one.columns for one in known.foreign))
        named = sorted({name for columns in beside for name in columns})
        if not named or not records:
            return []
        keys = [one.key for one in records]
        now = rules.by_key(connection, target.wanted, target.table, keys, named)
        rows = [rules.row_of(one, target.table) for one in records]

        def having(columns: Sequence[str]) -> list[tuple[Record, Values]]:
            """The records that set one of the columns, with what they will have in all of them."""
            each = (
                rules.parts(known, row, now.get(key), columns) for row, key in zip(rows, keys, strict=True)
            )
            return [
                (record, values)
                for record, row, values in zip(records, rows, each, strict=True)
                if values is not None and not row.keys().isdisjoint(columns)
            ]

        told: list[Told] = []
        for columns in known.unique:
            told += self._claims(known, columns, having(columns), connection)
        for foreign in known.foreign:
            told += self._needs(known, foreign, having(foreign.columns), connection)
        return told

    def _claims(
        self, known: Rules, columns: Sequence[str], having: Having, connection: sa.Connection
    ) -> Iterator[Claim]:
        target, rule = self._target, " ".join(("unique", *columns))
        whole = [values for _, values in having if None not in values]
        there = rules.found(connection, target.wanted, columns, whole, target.table.key)
        holders = {
            rules.spelled(values, columns, known): target.named(target.table.key, key)
            for values, key in there
        }
        for record, values in having:
            value = None if None in values else rules.spelled(values, columns, known)
            for item in record.items:
                yield Claim(item, rule, value, "duplicate", holders.get(value or "", ""))

    def _needs(
        self, known: Rules, foreign: Foreign, having: Having, connection: sa.Connection
    ) -> Iterator[Need]:
        whole = [(record, values) for record, values in having if None not in values]
        kinds = (self._target.wanted.c[name].type for name in foreign.columns)
        columns = (sa.column(name, kind) for name, kind in zip(foreign.referred, kinds, strict=True))
        where = sa.table(foreign.table, *columns, schema=foreign.schema)
        found = rules.found(connection, where, foreign.referred, [values for _, values in whole])
        there = {rules.spelled(values, foreign.columns, known) for values, _ in found}
        other = next((one for one in self._others if _is_meant(one, foreign)), None)
        for record, values in whole:
            is_there = rules.spelled(values, foreign.columns, known) in there
            write, named = (other.table.write, other.named(foreign.referred, values)) if other else ("", "")
            for item in record.items:
                yield Need(item, write, named, "foreign_key", is_there)


def _made(shape: schema.Shape, known: Rules | None) -> tuple[schema.Shape, Rules | None]:
    """As the table is with the columns that the first write adds: all that are not there in any spelling."""
    there = {column.name.lower() for column in known.there.columns} if known else set[str]()
    stays = (one for one in shape.drift if one.code != "missing_column" or one.column.lower() in there)
    return replace(shape, drift=tuple(stays)), known


def _is_meant(target: Target, foreign: Foreign) -> bool:
    """Is it the table that is referred to, by its key?"""
    same = target.wanted.name == foreign.table and foreign.schema in (None, target.wanted.schema)
    return same and set(target.table.key) == set(foreign.referred)


def _refused(records: Sequence[Record], code: str) -> list[Outcome]:
    return [Outcome(item, "rejected", code) for record in records for item in record.items]
