"""The rows, in SQLite: what a statement reads and changes."""
# ruff: noqa: S608  # its statements are made of quoted names and parsed expressions

import itertools
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from sqlglot import exp

from connectors.sandbox.bigquery import statements
from connectors.sandbox.bigquery.cells import Cell, Field, fit, parse_json
from connectors.sandbox.bigquery.refusal import Refusal, invalid_query
from connectors.sandbox.bigquery.statements import Known, Scope, expression, quoted, unsupported

Find = Callable[[str], Known]  # a table by its full name; raises Refusal
Sides = tuple[str, str, str]  # of a MERGE: the aliases of its tables, and where their pairs are
MANY = "UPDATE/MERGE must match at most one source row for each target row"
COLLIDED = "Could not serialize access to table p:d.t due to concurrent update"


class Rows:
    """All tables' rows. The caller lets one thread in at a time."""

    def __init__(self) -> None:
        self._base = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._refusal: Refusal | None = None
        self._fields: list[Field] = []
        self._changes = Counter[str]()  # how often a statement changed a table
        self._numbers = itertools.count(1)
        self._base.create_function("parse_json", 1, self._caught(parse_json), deterministic=True)
        self._base.create_function("fit", 2, self._caught(self._fit))

    def make(self, place: str, fields: Sequence[Field]) -> None:
        columns = ", ".join(quoted(field.name) for field in fields)
        self._base.execute(f"CREATE TABLE {quoted(place)} ({columns})")

    def add(self, place: str, field: Field) -> None:
        empty = " DEFAULT '[]'" if field.repeated else ""
        self._base.execute(f"ALTER TABLE {quoted(place)} ADD COLUMN {quoted(field.name)}{empty}")

    def rename(self, place: str, old: str, new: str) -> None:
        self._base.execute(f"ALTER TABLE {quoted(place)} RENAME COLUMN {quoted(old)} TO {quoted(new)}")

    def pad(self, place: str, column: str, more: int) -> None:
        """Records that are there get a null for each field that their column was given."""
        name = quoted(column)
        self._base.create_function("padded", 2, padded)
        self._base.execute(f"UPDATE {quoted(place)} SET {name} = padded({name}, ?)", (more,))

    def drop(self, place: str) -> None:
        self._base.execute(f"DROP TABLE {quoted(place)}")

    def replace(self, place: str, rows: Sequence[Sequence[Cell]], *, keep: bool) -> None:
        """Load the rows, beside those that are there if they are kept."""
        with self._whole():
            if not keep:
                self._base.execute(f"DELETE FROM {quoted(place)}")
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                self._base.executemany(f"INSERT INTO {quoted(place)} VALUES ({marks})", rows)

    def all(self, place: str) -> list[tuple[Cell, ...]]:
        return self._base.execute(f"SELECT * FROM {quoted(place)}").fetchall()

    def count(self, place: str) -> int:
        return int(self._base.execute(f"SELECT count(*) FROM {quoted(place)}").fetchone()[0])

    def select(
        self, node: exp.Select, find: Find, kinds: Mapping[str, str], values: Mapping[str, Cell]
    ) -> tuple[list[Field], list[tuple[Cell, ...]]]:
        """The columns and the rows of a SELECT from one table, or of one without a table."""
        known = {"from_", "expressions", "where", "kind", "hint", "distinct", "limit", "operation_modifiers"}
        if any(value for name, value in node.args.items() if name not in known):
            raise unsupported(node)
        source = node.args.get("from_")
        tables: dict[str, Known] = {}
        if source is not None:
            tables[source.this.alias_or_name] = find(statements.table_name(source.this))
        scope = Scope(tables, kinds)
        given = [expression(each, scope) for each in node.expressions]
        fields = [
            scope.column(each)[1] if isinstance(each, exp.Column) else Field(f"f{at}_", made.kind)
            for at, (each, made) in enumerate(zip(node.expressions, given, strict=True))
        ]
        text = f"SELECT {', '.join(each.sql for each in given)}"
        for alias, table in tables.items():
            text += f" FROM {quoted(table.place)} AS {quoted(alias)}"
        if where := node.args.get("where"):
            text += f" WHERE {expression(where.this, scope).sql}"
        return fields, self._run(text, values).fetchall()

    def begin(
        self, node: exp.Merge, find: Find, kinds: Mapping[str, str], values: Mapping[str, Cell]
    ) -> Callable[[], tuple[int, int]]:
        """Begin a MERGE: it sees its tables as they are now. Called, the answer ends it.

        Then it gives how many rows were inserted and updated, all of them or none. One that only inserts ends
        whatever others did meanwhile, as at Google: what two of them insert is there twice.
        """
        target, source = (find(statements.table_name(node.args[name])) for name in ("this", "using"))
        t, s = node.this.alias_or_name, node.args["using"].alias_or_name
        number = next(self._numbers)
        copied, pairs = f"source {number}", f"pairs {number}"
        self._base.execute(f"CREATE TEMP TABLE {quoted(copied)} AS SELECT * FROM {quoted(source.place)}")
        scope = Scope({t: target, s: Known(copied, source.fields)}, kinds)
        on = expression(node.args["on"], scope).sql
        self._run(
            f"CREATE TEMP TABLE {quoted(pairs)} AS SELECT {quoted(t)}.rowid AS t, {quoted(s)}.rowid AS s"
            f" FROM {quoted(copied)} AS {quoted(s)} JOIN {quoted(target.place)} AS {quoted(t)} ON {on}",
            values,
        )
        matched = self._base.execute(f"SELECT 1 FROM {quoted(pairs)}").fetchone()
        if self._base.execute(f"SELECT 1 FROM {quoted(pairs)} GROUP BY t HAVING count(*) > 1").fetchone():
            raise invalid_query(MANY)
        seen = self._changes[target.place]

        def end() -> tuple[int, int]:
            try:
                if matched and seen != self._changes[target.place]:
                    raise invalid_query(COLLIDED)
                self._changes[target.place] += 1
                with self._whole():
                    return self._changed(node, scope, (t, s, pairs), values)
            finally:
                self._base.execute(f"DROP TABLE {quoted(copied)}")
                self._base.execute(f"DROP TABLE {quoted(pairs)}")

        return end

    def _changed(
        self, node: exp.Merge, scope: Scope, sides: Sides, values: Mapping[str, Cell]
    ) -> tuple[int, int]:
        inserted = updated = 0
        for when in node.args["whens"].expressions:
            then = when.args["then"]
            if when.args.get("source") or not isinstance(then, (exp.Update, exp.Insert)):
                raise unsupported(then)
            if isinstance(then, exp.Update) and when.args.get("matched"):
                updated += self._update(then, when.args.get("condition"), scope, sides, values)
            elif isinstance(then, exp.Insert) and not when.args.get("matched"):
                inserted += self._insert(then, scope, sides, values)
            else:
                raise invalid_query("this clause does not go with WHEN")
        return inserted, updated

    def _update(
        self,
        node: exp.Update,
        condition: exp.Expr | None,
        scope: Scope,
        sides: Sides,
        values: Mapping[str, Cell],
    ) -> int:
        t, s, pairs = sides
        target, source = scope.tables[t], scope.tables[s]
        changes = [
            f"{quoted(each.this.name)} = {self._assigned(target, each.this.name, each.expression, scope)}"
            for each in node.expressions
        ]
        also = f" AND ({expression(condition, scope).sql})" if condition is not None else ""
        text = (
            f"UPDATE {quoted(target.place)} AS {quoted(t)} SET {', '.join(changes)}"
            f" FROM {quoted(pairs)} AS pairs"
            f" JOIN {quoted(source.place)} AS {quoted(s)} ON {quoted(s)}.rowid = pairs.s"
            f" WHERE pairs.t = {quoted(t)}.rowid{also}"
        )
        return self._run(text, values).rowcount

    def _insert(self, node: exp.Insert, scope: Scope, sides: Sides, values: Mapping[str, Cell]) -> int:
        t, s, pairs = sides
        target, source = scope.tables[t], scope.tables[s]
        names = [each.name for each in node.this.expressions]
        given = node.expression.expressions
        if len(names) != len(given):
            raise invalid_query("Inserted row has wrong column count")
        only = Scope({s: source}, scope.parameters)
        cells = [self._assigned(target, name, each, only) for name, each in zip(names, given, strict=True)]
        self._all_required(target, names)
        text = (
            f"INSERT INTO {quoted(target.place)} ({', '.join(map(quoted, names))})"
            f" SELECT {', '.join(cells)} FROM {quoted(source.place)} AS {quoted(s)}"
            f" WHERE {quoted(s)}.rowid NOT IN (SELECT s FROM {quoted(pairs)})"
        )
        return self._run(text, values).rowcount

    def _all_required(self, target: Known, names: Sequence[str]) -> None:
        there = {name.lower() for name in names}
        for field in target.fields:
            if field.mode == "REQUIRED" and not field.default and field.name.lower() not in there:
                raise invalid_query(f"Required field {field.name} cannot be null")

    def _assigned(self, target: Known, name: str, node: exp.Expr, scope: Scope) -> str:
        """The expression as a value of that column, in SQLite's words."""
        field = target.field(name)
        if field is None:
            raise invalid_query(f"Unrecognized name: {name}")
        made = expression(node, scope)
        wider = (made.kind, field.kind) == ("NUMERIC", "BIGNUMERIC") and not field.repeated
        if made.kind not in (field.spoken, "NULL") and not wider:
            raise invalid_query(
                f"Value of type {made.kind} cannot be assigned to {name}, which has type {field.spoken}"
            )
        if field.repeated:
            return f"ifnull({made.sql}, '[]')"
        self._fields.append(field)
        return f"fit({len(self._fields) - 1}, {made.sql})"

    def _fit(self, place: int, value: Cell) -> Cell:
        return fit(self._fields[place], value)

    def _run(self, text: str, values: Mapping[str, Cell]) -> sqlite3.Cursor:
        self._refusal = None
        try:
            return self._base.execute(text, dict(values))
        except sqlite3.OperationalError:
            if self._refusal is None:
                raise
        raise Refusal(400, "invalidQuery", self._refusal.message)

    def _caught(self, act: Callable[..., Cell]) -> Callable[..., Cell]:
        """SQLite hides what a function raises: it is kept aside."""

        def acting(*given: Cell) -> Cell:
            try:
                return act(*given)
            except Refusal as refusal:
                self._refusal = refusal
                raise

        return acting

    @contextmanager
    def _whole(self) -> Generator[None]:
        self._fields.clear()
        self._base.execute("BEGIN")
        try:
            yield
            self._base.execute("COMMIT")
        finally:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")


def padded(cell: Cell, more: int) -> Cell:
    """A list of records, each with so many more values."""
    records = cast(list[list[Any]], json.loads(str(cell or "[]")))
    return json.dumps([[*values, *[None] * more] for values in records], ensure_ascii=False)


def array(values: Sequence[Cell]) -> str:
    """An ARRAY parameter as SQLite takes it."""
    return json.dumps(list(values), ensure_ascii=False)
