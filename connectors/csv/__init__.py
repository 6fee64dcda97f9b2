"""CSV files in a folder, one for each declared table: rows are upserted by key, the file replaced whole.

Null is an unquoted empty cell and the empty text a quoted one (`""`), so that both survive;
`Format.null` names another mark for programs that do not see quotes. Cells that no item sets, and
columns that were not declared, are carried over as they are.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from connectors.base import Account, Connector, Settings
from connectors.csv.file import File
from connectors.delimited import Format
from connectors.errors import Unauthorized
from connectors.holding import OWN, Holding
from connectors.operation import Asks, Delivery, Write
from connectors.tabular import Drift, Table

__all__ = ["Csv", "CsvCredentials", "Format"]

BATCH = 2000  # each batch reads and writes the whole file once


class CsvCredentials(Settings):
    folder: Path


class Csv(Connector):
    """A folder of CSV files. Only <folder>/<table>.csv of the declared tables is touched.

    Args:
        read_only: nothing in the folder is made, changed or locked.
    """

    name: ClassVar[str] = "csv"
    holds: ClassVar[Holding] = OWN

    def __init__(
        self,
        credentials: CsvCredentials,
        tables: Sequence[Table],
        form: Format | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        if len({table.name.lower() for table in tables}) < len(tables):
            raise ValueError("two tables have the same name")
        self._folder = credentials.folder
        self._needed = os.R_OK | os.X_OK | (0 if read_only else os.W_OK)
        self._files = [
            File(credentials.folder, table, form or Format(), read_only=read_only) for table in tables
        ]

    def check(self) -> Account:
        """Is the folder there, and ours to write? Raises Unauthorized."""
        if not self._folder.is_dir() or not os.access(self._folder, self._needed):
            raise Unauthorized("no_folder", "csv: the folder is not there or may not be written")
        return Account(system=self.name, identity=str(self._folder.resolve()))

    @property
    def requests(self) -> int:
        """None: it is a file of this machine."""
        return 0

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {file.table.write: _write(file) for file in self._files}

    def drift(self) -> list[Drift]:
        """How the files' headers differ from what was declared. Changes nothing."""
        return [drift for file in self._files for drift in file.drift()]


def _write(file: File) -> Write:
    table = file.table
    return Write(
        name=table.write,
        summary=table.summary or f"Insert the patient's row of {table.name}, or update it. Idempotent.",
        arguments=file.rows.arguments,
        delivery=Delivery.UPSERT,
        send=file.send,
        record=file.rows.record,
        batch=BATCH,
        present=file.present,
        refuses=file.refuses,
        free_text=table.free_text,
        presents=Asks(0),
        sends=Asks(0),
    )
