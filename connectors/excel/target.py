"""One declared table in a sheet: rows are upserted by key, the workbook replaced whole."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.excel import cells
from connectors.excel.book import Book, grids
from connectors.excel.file import File
from connectors.excel.page import Layout, Merge, Page
from connectors.operation import Arguments, Item, Outcome
from connectors.tabular import Drift, Key, Record, Rows
from connectors.values import Value


class Target:
    """A declared table."""

    def __init__(self, file: File, layout: Layout) -> None:
        self.rows = Rows(layout.table)
        self._file = file
        self._layout = layout

    def drift(self) -> list[Drift]:
        """How the sheet's header differs from what was declared. One that is not there does not differ."""
        return list(self._page().drift())

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows: what can be is in the workbook then, or none is. Raises as a Write."""
        records, outcomes = self.rows.records(items, self._objection)
        if not records:
            return outcomes
        try:
            with self._file.alone():
                return outcomes + self._written(records)
        except Rejected as error:
            return [Outcome(item.key, "rejected", error.code) for item in items]

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be stored in the workbook as it is now: it is tried in memory, and kept nowhere."""
        records, outcomes = self.rows.records(items, self._objection)
        if not records:
            return outcomes
        try:
            tried = self._merged(records)[1]
        except Rejected as error:
            return [Outcome(item.key, "rejected", error.code) for item in items]
        return outcomes + [one for one in tried if one.state == "rejected"]

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets."""
        page, keys = self._page(), self.rows.keys(items)
        rows = page.rows()
        held: dict[str, Arguments | None] = {}
        for item in items:
            key = keys[item.key]
            at = [] if key is None else rows.get(key, [])
            held[item.key] = _held(page, at[0], item.arguments) if at else None
        return held

    def _page(self) -> Page:
        return Page(self._layout, grids(self._file.read()))

    def _objection(self, key: Key, values: Mapping[str, Value]) -> str | None:
        columns, zone = self._layout.table.columns, self._layout.zone
        named = {**dict(zip(self._layout.table.key, key, strict=True)), **values}
        codes = (cells.objection(value, columns[name].type, zone) for name, value in named.items())
        return next((code for code in codes if code), None)

    def _written(self, records: Sequence[Record]) -> list[Outcome]:
        was = self._file.seen()
        content, outcomes = self._merged(records)
        if content is not None:
            self._file.replace(content, was)
        return outcomes

    def _merged(self, records: Sequence[Record]) -> tuple[bytes | None, list[Outcome]]:
        """The workbook with these rows in it, None if it stays as it is, and what became of each."""
        book = Book(self._file.read())
        merge = Merge(Page(self._layout, book.grids), book)
        codes = [(record, merge.write(record)) for record in records]
        outcomes = [
            Outcome(item, "done") if code is None else Outcome(item, "rejected", code)
            for record, code in codes
            for item in record.items
        ]
        return book.saved() if book.is_changed else None, outcomes


def _held(page: Page, row: int, arguments: Arguments) -> Arguments:
    """An empty cell is an empty text where one was asked about: Excel knows no other."""
    held: dict[str, JsonValue] = {}
    for name, asked in arguments.items():
        value = page.value(row, name)
        held[name] = "" if value is None and asked == "" else value
    return held
