"""The newest version wins: an update meets no document that is newer by a column of the declaration.

The condition is part of the statement itself, so that no version can slip in between a look and a write.
Where it keeps an update from its document, the server tries to insert one and refuses: the `_id` is taken.
"""

from collections.abc import Mapping
from typing import Any

from connectors.mongodb import documents
from connectors.mongodb.client import Document
from connectors.tabular import Record, Table, Version
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

    def kept(self, record: Record) -> tuple[Version, ...]:
        """The versions of a record that are no older than one before them."""
        if self._column is None or len(record.versions) == 1:
            return record.versions
        kept: list[Version] = []
        known: Any = None  # of one column's type, as `given`
        for version in record.versions:
            given: Any = version.values.get(self._column)
            if known is None or given is None or given >= known:
                kept.append(version)
                known = version.values.get(self._column, known)
        return tuple(kept)

    def values(self, record: Record) -> dict[str, Value]:
        """What is set in the end."""
        return Record(record.key, self.kept(record)).values

    def is_stale(self, record: Record, document: Document) -> bool:
        """Is the document newer than all that the record says?"""
        stamp: Any = self.values(record).get(self._column) if self._column else None
        there: Any = document.get(self._column) if self._column else None
        if stamp is None or there is None:
            return False
        try:
            return bool(documents.comparable(there) > documents.comparable(documents.as_bson(stamp)))
        except TypeError:  # of another type: the condition does not keep an update from it
            return False
