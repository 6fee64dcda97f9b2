"""The part of Airtable's formula language that finds records: OR, AND, =, fields, texts and numbers."""

import re
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from connectors.sandbox.airtable.rules import Refusal

Test = Callable[[Mapping[str, JsonValue]], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Z]+)\(|\{(?P<field>[^}]*)\}|(?P<text>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<sign>[=,)]))",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Formula:
    """One formula over records with cells by field id. Raises Refusal for what it does not understand.

    ids: the fields' ids by what a formula may call them.
    """

    def __init__(self, text: str, ids: Mapping[str, str]) -> None:
        self._ids = ids
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise _bad()
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.matches = self._test()
        if self._tokens:
            raise _bad()

    def _test(self) -> Test:
        kind, value = self._next()
        if kind == "name" and value in ("OR", "AND"):
            parts = [self._test()]
            while (token := self._next()) == ("sign", ","):
                parts.append(self._test())
            if token != ("sign", ")"):
                raise _bad()
            every = all if value == "AND" else any
            return lambda cells: every(part(cells) for part in parts)
        if kind != "field" or value not in self._ids or self._next() != ("sign", "="):
            raise _bad()
        return _equal(self._ids[value], *self._next())

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise _bad()
        return self._tokens.pop(0)


def _equal(field: str, kind: str, value: str) -> Test:
    if kind == "text":
        text = _ESCAPED.sub(r"\1", value[1:-1])
        return lambda cells: cells.get(field, "") == text
    if kind == "number":
        number = float(value)
        return lambda cells: field in cells and cells[field] == number
    raise _bad()


def _bad() -> Refusal:
    return Refusal(422, "INVALID_FILTER_BY_FORMULA", "The formula for filtering records is invalid")
