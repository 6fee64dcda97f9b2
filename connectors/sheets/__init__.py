"""Google Sheets: one sheet for each declared table, in a spreadsheet that people also work in.

Rows are upserted by their key cells. People may sort, insert, delete, rename and format; their own columns,
sheets and formulas are not touched. Values are always entered raw: no text ever becomes a formula or a date.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from connectors.base import Account, Connector, Settings
from connectors.holding import BAA, Holding
from connectors.operation import Asks, Delivery, Write
from connectors.sheets.credentials import SheetsCredentials
from connectors.tabular import Drift, Table

__all__ = ["Sheets", "SheetsCredentials", "SheetsOptions"]

BATCH = 1000


class SheetsOptions(Settings):
    """How tables are sheets.

    titles: a table's sheet, where it is not named like the table. empty: what becomes of an empty text, which
    a cell cannot hold: the row is refused, or the cell is cleared as if it were null.
    """

    titles: dict[str, Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        default_factory=dict[str, str]
    )
    empty: Literal["refuse", "clear"] = "refuse"


class Sheets(Connector):
    """A spreadsheet. Only the declared columns of the declared tables' sheets are ever written.

    Args:
        read_only: nothing but GET leaves, with a token by which Google lets nothing be changed.
    """

    name: ClassVar[str] = "sheets"
    holds: ClassVar[Holding] = Holding(conditions=(BAA,))  # accepted in the Workspace's admin console

    def __init__(
        self,
        credentials: SheetsCredentials,
        tables: Sequence[Table],
        options: SheetsOptions | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        # Google's libraries take half a second to import: only where a spreadsheet is reached
        from connectors.sheets.book import Book  # noqa: PLC0415
        from connectors.sheets.tab import Tab  # noqa: PLC0415

        options = options or SheetsOptions()
        titles = [options.titles.get(table.name, table.name) for table in tables]
        if len({title.lower() for title in titles}) < len(titles):
            raise ValueError("two tables have the same sheet")
        self._read_only = read_only
        self._book = Book(credentials, read_only=read_only)
        self._tabs = [
            Tab(self._book, table, title, clear_empty=options.empty == "clear")
            for table, title in zip(tables, titles, strict=True)
        ]

    def check(self) -> Account:
        """Harmless reads that name the spreadsheet. Raises Unauthorized, also if it is open to anyone."""
        self._book.sheet("", anew=True)
        missing = () if self._read_only or self._book.may_edit() else ("canEdit",)
        if not missing:  # only who may edit is shown with whom it is shared
            self._book.private()
        return Account(system=self.name, identity=self._book.id, missing=missing)

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {
            tab.table.write: Write(
                name=tab.table.write,
                summary=tab.table.summary
                or f"Insert the patient's row of {tab.table.name}, or update it. Idempotent.",
                arguments=tab.rows.arguments,
                delivery=Delivery.UPSERT,
                send=tab.send,
                record=tab.rows.record,
                batch=BATCH,
                present=tab.present,
                refuses=tab.refuses,
                room=tab.room,
                free_text=tab.table.free_text,
                sends=Asks(2),
            )
            for tab in self._tabs
        }

    def prepare(self) -> None:
        """Make the sheets and add the columns that are not there. The first write does it, too."""
        for tab in self._tabs:
            tab.make()

    def drift(self) -> list[Drift]:
        """How the sheets' headers differ now from what was declared. Changes nothing."""
        return [drift for tab in self._tabs for drift in tab.drift()]

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._book.requests

    def close(self) -> None:
        self._book.close()
