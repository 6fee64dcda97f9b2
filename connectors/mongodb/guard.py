"""The newest version wins: an update meets no document that is newer by a column of the declaration.

The condition is part of the statement itself, so that no version can slip in between a look and a write.
Where it keeps an update from its document, the server tries to insert one and refuses: the `_id` is taken.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.mongodb import documents
from connectors.mongodb.client import Document
from connectors.tabular import Record, Table
from connectors.values import Value

ORDERED = ("int", "decimal", "date", "datetime")  # types whose values are newer or older


class Guard:
    """Of one table. `newest` is the column; None: what is sent last wins."""

    def __init__(self, table: Table, newest: str | None) -> None:
        if newest is not None and (newest not in table.plain or table.columns[newest].type not in ORDERED):
            raise ValueError(
                f"newest must name a plain column of {table.name} that is one of {', '.join(ORDERED)}"
            )
        self._column = newest
        self.names = () if newest is None else (newest,)

    def condition(self, values: Mapping[str, Value]) -> Document:
        """What must be true of the document beside its `_id`. A row without a version is always written."""
        stamp = values.get(self._column) if self._column else None
        return {} if stamp is None else {str(self._column): {"$not": {"$gt": documents.as_bson(stamp)}}}

    def rounds(self, records: Sequence[Record]) -> list[list[Record]]:
        """What may be sent at once: with a condition, one version of a document, since each meets its own."""
        if self._column is None:
            return [list(records)]
        most = max(len(record.versions) for record in records)
        return [
            [Record(record.key, (record.versions[at],)) for record in records if at < len(record.versions)]
            for at in range(most)
        ]

    def is_stale(self, record: Record, document: Document) -> bool:
        """Is the document newer than all that the record says?"""
        stamp: Any = record.values.get(self._column) if self._column else None
        there: Any = document.get(self._column) if self._column else None
        if stamp is None or there is None:
            return False
        try:
            return bool(documents.comparable(there) > documents.comparable(documents.as_bson(stamp)))
        except TypeError:  # of another type: the condition does not keep an update from it
            return False
