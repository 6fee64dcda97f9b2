"""BigQuery's SQL, as much of it as a connector sends: read by its grammar, checked for names and types, and
written as SQLite's. What is not known here is refused: it is no sign that Google refuses it, too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import errors, exp

from connectors.sandbox.bigquery.cells import Field
from connectors.sandbox.bigquery.refusal import Refusal, invalid_query

LONGEST = 1_000_000  # characters of a query
Tables = Callable[[str], "Known"]


@dataclass(frozen=True)
class Known:
    """A table that a statement names: its name in SQLite, and its columns."""

    place: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((each for each in self.fields if each.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class Typed:
    """An expression in SQLite's words, with its type in BigQuery's."""

    sql: str
    kind: str


@dataclass(frozen=True)
class Scope:
    """The tables by alias, and the parameters' types."""

    tables: Mapping[str, Known]
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    def column(self, node: exp.Column) -> tuple[str, Field]:
        """Its alias and field. Raises Refusal."""
        for alias, known in self.tables.items():
            if node.table.lower() in ("", alias.lower()):
                found = known.field(node.name)
                if found is not None:
                    return alias, found
        raise invalid_query(f"Unrecognized name: {node.name}")


def parse(text: str) -> exp.Expr:
    """The one statement of a query. Raises Refusal."""
    if len(text) > LONGEST:
        raise invalid_query("The query is too large")
    try:
        found = [each for each in sqlglot.parse(text, read="bigquery") if each is not None]
    except errors.SqlglotError:
        found = []
    if len(found) != 1:
        raise invalid_query("Syntax error")
    return found[0]


def table_name(node: exp.Expr | None) -> str:
    if not isinstance(node, exp.Table):
        raise unsupported(node)
    return ".".join(part.name for part in node.parts)


def unsupported(node: object) -> Refusal:
    return invalid_query(f"the stand-in does not know {type(node).__name__}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def expression(node: exp.Expr | None, scope: Scope) -> Typed:
    """An expression of any kind that is known. Raises Refusal."""
    for kinds, write in _WRITERS:
        if isinstance(node, kinds):
            return write(node, scope)
    raise unsupported(node)


def _column(node: exp.Column, scope: Scope) -> Typed:
    alias, found = scope.column(node)
    return Typed(f"{quoted(alias)}.{quoted(found.name)}", found.spoken)


def _parameter(node: exp.Parameter, scope: Scope) -> Typed:
    kind = scope.parameters.get(node.name)
    if kind is None:
        raise invalid_query(f"Query parameter '{node.name}' not found")
    return Typed(f":{node.name}", kind)


def _literal(node: exp.Literal, scope: Scope) -> Typed:
    if node.is_string:
        return Typed("'" + node.name.replace("'", "''") + "'", "STRING")
    return Typed(str(int(node.name)), "INTEGER")


def _null(node: exp.Null, scope: Scope) -> Typed:
    return Typed("NULL", "NULL")


def _paren(node: exp.Paren, scope: Scope) -> Typed:
    inner = expression(node.this, scope)
    return Typed(f"({inner.sql})", inner.kind)


def _both(node: exp.Binary, scope: Scope) -> Typed:
    left, right = expression(node.this, scope), expression(node.expression, scope)
    if isinstance(node, (exp.And, exp.Or)):
        _same("BOOLEAN", left, right)
    elif isinstance(node, exp.Is):
        if right.kind != "NULL":
            raise unsupported(node)
    else:
        _comparable(left, right)
    return Typed(f"{left.sql} {_WORDS[type(node)]} {right.sql}", "BOOLEAN")


def _comparable(left: Typed, right: Typed) -> None:
    if left.kind != right.kind or left.kind.startswith(("ARRAY", "STRUCT", "JSON")):
        raise invalid_query(f"No matching signature for operator for types: {left.kind}, {right.kind}")


def _same(kind: str, *given: Typed) -> None:
    for each in given:
        if each.kind not in (kind, "NULL"):
            raise invalid_query(f"No matching signature: {each.kind} where {kind} is wanted")


def _in(node: exp.In, scope: Scope) -> Typed:
    unnest = node.args.get("unnest")
    if not isinstance(unnest, exp.Unnest) or node.expressions:
        raise unsupported(node)
    needle, stack = expression(node.this, scope), expression(unnest.expressions[0], scope)
    if stack.kind != f"ARRAY<{needle.kind}>":
        raise invalid_query(f"No matching signature for IN: {needle.kind} in {stack.kind}")
    within = f"(SELECT value FROM json_each({stack.sql}))"  # noqa: S608  # made of a parsed expression
    return Typed(f"{needle.sql} IN {within}", "BOOLEAN")


def _if(node: exp.If, scope: Scope) -> Typed:
    condition = expression(node.this, scope)
    true, false = expression(node.args["true"], scope), expression(node.args["false"], scope)
    _same("BOOLEAN", condition)
    kinds = {true.kind, false.kind} - {"NULL"}
    if len(kinds) > 1 and kinds != {"NUMERIC", "BIGNUMERIC"}:
        raise invalid_query(f"No matching signature for IF: {true.kind}, {false.kind}")
    kind = "BIGNUMERIC" if "BIGNUMERIC" in kinds else next(iter(kinds), "NULL")
    return Typed(f"CASE WHEN {condition.sql} THEN {true.sql} ELSE {false.sql} END", kind)


def _parse_json(node: exp.ParseJSON, scope: Scope) -> Typed:
    inner = expression(node.this, scope)
    _same("STRING", inner)
    return Typed(f"parse_json({inner.sql})", "JSON")


_WORDS: Mapping[type[exp.Expr], str] = {
    exp.And: "AND",
    exp.Or: "OR",
    exp.Is: "IS",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_WRITERS: tuple[tuple[tuple[type[exp.Expr], ...], Callable[..., Typed]], ...] = (
    ((exp.Column,), _column),
    ((exp.Parameter,), _parameter),
    ((exp.Literal,), _literal),
    ((exp.Null,), _null),
    ((exp.Paren,), _paren),
    (tuple(_WORDS), _both),
    ((exp.In,), _in),
    ((exp.If,), _if),
    ((exp.ParseJSON,), _parse_json),
)
