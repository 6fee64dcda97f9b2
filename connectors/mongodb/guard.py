"""The newest version wins: an update meets no document that is newer by a column of the declaration.

The condition is part of the statement itself, so that no version can slip in between a look and a write.
Where it keeps an update from its document, the server tries to insert one and refuses: the `_id` is taken.
"""

from collections.abc import Mapping, Sequence

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
        self._table, self._column = table, newest

    def newer(self, values: Mapping[str, Value]) -> Document:
        """What is true of a document that is newer; nothing of a row without a version, which always wins."""
        stamp = values.get(self._column) if self._column else None
        return {} if stamp is None else {str(self._column): {"$gt": documents.as_bson(stamp)}}

    def condition(self, values: Mapping[str, Value]) -> Document:
        """What must be true of the document beside its `_id`."""
        return {name: {"$not": is_newer} for name, is_newer in self.newer(values).items()}

    def rounds(self, records: Sequence[Record]) -> list[list[Record]]:
        """What may be sent at once: one version of a document where each meets a condition of its own."""
        parts = [
            [record] if self._is_one(record) else [Record(record.key, (one,)) for one in record.versions]
            for record in records
        ]
        return [[part[at] for part in parts if at < len(part)] for at in range(max(map(len, parts)))]

    def _is_one(self, record: Record) -> bool:
        """May its versions be sent as one?"""
        if len(record.versions) == 1:
            return True
        return self._column is None and documents.fits(self._table, record.key, record.values)
