"""What one server holds: databases, collections, users and what they may do, open cursors."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sandbox.mongodb.collection import Collection
from connectors.sandbox.mongodb.wire import Document

READ_WRITE = (
    "find", "insert", "update", "remove", "createCollection", "createIndex", "dropCollection",
    "listCollections", "listIndexes", "collMod",
)  # fmt: skip


@dataclass
class State:
    """Everything below is read and changed under `lock`."""

    users: Mapping[str, str]
    actions: tuple[str, ...] | None = None
    address: str = ""
    collections: dict[str, Collection] = field(default_factory=dict[str, Collection])
    cursors: dict[int, tuple[str, list[Document]]] = field(
        default_factory=dict[int, tuple[str, list[Document]]]
    )
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def allowed(self) -> tuple[str, ...]:
        return READ_WRITE if self.actions is None else self.actions

    def collection(self, database: str, name: str) -> Collection:
        """The collection, made if it is not there."""
        namespace = f"{database}.{name}"
        return self.collections.setdefault(namespace, Collection(namespace))

    def cursor(self, namespace: str, documents: list[Document]) -> int:
        """An open cursor over what is left; 0 if nothing is."""
        if not documents:
            return 0
        number = 1000 + len(self.cursors)
        self.cursors[number] = (namespace, documents)
        return number
