"""An Excel workbook that people edit, too: rows of its sheets are upserted by key, the file replaced whole.

Everything else in it stays as it is: other sheets, columns that were not declared, rows without a key,
formats, formulas, comments. A workbook with something that could not be kept is refused and not touched.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from connectors.base import Account, Connector
from connectors.excel.file import File
from connectors.excel.options import Arranged, ExcelCredentials, ExcelOptions, SheetOptions
from connectors.holding import OWN, Holding
from connectors.operation import Asks, Delivery, Write
from connectors.tabular import Drift, Table

if TYPE_CHECKING:
    from connectors.excel.target import Target

__all__ = ["Excel", "ExcelCredentials", "ExcelOptions", "SheetOptions"]

BATCH: Final = 5000  # each batch reads and writes the whole workbook once


class Excel(Connector):
    """One workbook. Only the sheets of the declared tables are written.

    Args:
        read_only: the workbook is not changed, opened to write or locked, and nothing is made beside it.
    """

    name: ClassVar[str] = "excel"
    holds: ClassVar[Holding] = OWN

    def __init__(
        self,
        credentials: ExcelCredentials,
        tables: Sequence[Table],
        options: ExcelOptions | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        self._arranged = Arranged(tables=tuple(tables), options=options or ExcelOptions())
        self._path = credentials.file
        self._file = File(credentials.file, read_only=read_only)

    def check(self) -> Account:
        """Is the folder there, and the workbook ours to write and fit to be kept? Raises Unauthorized."""
        self._file.check()
        return Account(system=self.name, identity=str(self._path.resolve()))

    @property
    def requests(self) -> int:
        """None: it is a file of this machine."""
        return 0

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {target.rows.table.write: _write(target) for target in self._targets}

    def drift(self) -> list[Drift]:
        """How the sheets' headers differ from what was declared. Changes nothing."""
        return [drift for target in self._targets for drift in target.drift()]

    @cached_property
    def _targets(self) -> "list[Target]":
        from connectors.excel.page import Layout  # noqa: PLC0415  # openpyxl is slow to import
        from connectors.excel.target import Target  # noqa: PLC0415

        arranged = self._arranged
        return [
            Target(
                self._file,
                Layout(
                    table=table,
                    sheet=arranged.sheet(table),
                    header_row=arranged.place(table).header_row,
                    headers=arranged.headers(table),
                    zone=arranged.zone,
                ),
            )
            for table in arranged.tables
        ]


def _write(target: "Target") -> Write:
    table = target.rows.table
    return Write(
        name=table.write,
        summary=table.summary or f"Insert the patient's row of {table.name}, or update it. Idempotent.",
        arguments=target.rows.arguments,
        delivery=Delivery.UPSERT,
        send=target.send,
        record=target.rows.record,
        batch=BATCH,
        present=target.present,
        refuses=target.refuses,
        free_text=table.free_text,
        presents=Asks(0),
        sends=Asks(0),
    )
