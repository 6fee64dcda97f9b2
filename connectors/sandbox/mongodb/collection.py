"""One collection: documents by their `_id`, unique indexes, a validator, a limit of size."""

import copy
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bson.objectid import ObjectId

from connectors.sandbox.mongodb.matching import identity, matches
from connectors.sandbox.mongodb.refusals import Refusal, duplicate
from connectors.sandbox.mongodb.rules import breaks
from connectors.sandbox.mongodb.wire import Document, has_operators, size

LARGEST = 16 * 1024 * 1024  # bytes of a document


@dataclass(frozen=True, slots=True)
class Done:
    """What one update did."""

    matched: int = 0
    modified: int = 0
    upserted: object = None  # the new document's _id


@dataclass
class Collection:
    """Its methods are called under the server's lock. `kind`: collection, view or timeseries."""

    namespace: str
    kind: str = "collection"
    options: Document = field(default_factory=dict[str, Any])
    unique: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    documents: dict[Hashable, Document] = field(default_factory=dict[Hashable, Document])

    def find(self, wanted: Document) -> Iterator[Document]:
        if wanted.keys() == {"$or"}:  # each branch by its own index
            found = {self._place(one["_id"]): one for branch in wanted["$or"] for one in self.find(branch)}
            yield from found.values()
            return
        candidates, others = self._candidates(wanted)
        for document in candidates:
            if matches(document, others):
                yield document

    def insert(self, document: Document) -> None:
        """Raises Refusal."""
        self._writable()
        self._put(None, {"_id": document.get("_id", ObjectId())} | document)

    def update(self, wanted: Document, change: Document, *, upsert: bool) -> Done:
        """Change the first document that is meant, or make one. Raises Refusal."""
        self._writable()
        unknown = set(change) - {"$set", "$setOnInsert", "$unset"}
        if unknown or not change:
            raise Refusal(9, f"Unknown modifier: {', '.join(sorted(unknown))}")
        before = next(self.find(wanted), None)
        if before is None:
            return self._upserted(wanted, change) if upsert else Done()
        after = _changed(before, change)
        if identity(after["_id"]) != identity(before["_id"]):
            raise Refusal(66, "Performing an update on the path '_id' would modify the immutable field '_id'")
        if size(after) == size(before) and after == before:
            return Done(matched=1)
        self._put(before, after)
        return Done(matched=1, modified=1)

    def delete(self, wanted: Document) -> int:
        gone = [self._place(document["_id"]) for document in self.find(wanted)]
        for place in gone:
            del self.documents[place]
        return len(gone)

    def make_unique(self, name: str, fields: tuple[str, ...]) -> None:
        """A unique index over these fields."""
        self.unique[name] = fields

    def _upserted(self, wanted: Document, change: Document) -> Done:
        equal = {name: value["$eq"] if _is_equality(value) else value for name, value in wanted.items()}
        made = {name: value for name, value in equal.items() if not (name[:1] == "$" or has_operators(value))}
        made = {"_id": made.pop("_id", ObjectId())} | made | copy.deepcopy(change.get("$setOnInsert", {}))
        self._put(None, _changed(made, change))
        return Done(upserted=made["_id"])

    def _put(self, before: Document | None, after: Document) -> None:
        for name in after:
            if name.startswith("$"):
                raise Refusal(52, f"The dollar ($) prefixed field '{name}' is not valid for storage.")
        if size(after) > LARGEST:
            raise Refusal(
                17419 if before else 10334,
                f"document is larger than the maximum size {LARGEST}: {after!r:.80}",
            )
        if self.options.get("validationAction", "error") == "error" and breaks(
            after, self.options.get("validator", {})
        ):
            raise Refusal(121, "Document failed validation", errInfo={"failingDocumentId": after["_id"]})
        self._unique_everywhere(before, after)
        self.documents[self._place(after["_id"])] = after

    def _unique_everywhere(self, before: Document | None, after: Document) -> None:
        if before is None and self._place(after["_id"]) in self.documents:
            raise duplicate(self.namespace, "_id_", {"_id": 1}, {"_id": after["_id"]})
        for name, fields in self.unique.items():
            value = {each: after.get(each) for each in fields}
            if any(
                other is not before
                and identity([other.get(each) for each in fields]) == identity([*value.values()])
                for other in self.documents.values()
            ):
                raise duplicate(self.namespace, name, dict.fromkeys(fields, 1), value)

    def _candidates(self, wanted: Document) -> tuple[Iterable[Document], Document]:
        """The documents that the index over `_id` gives, and the conditions that are left to be asked."""
        if "_id" not in wanted or (has_operators(wanted["_id"]) and "$in" not in wanted["_id"]):
            return list(self.documents.values()), wanted
        by = wanted["_id"]
        places = {self._place(each): None for each in (by["$in"] if has_operators(by) else [by])}
        found = [self.documents[place] for place in places if place in self.documents]
        return found, {name: value for name, value in wanted.items() if name != "_id"}

    def _place(self, id_: object) -> Hashable:
        return identity(id_, fold=self.options.get("collation", {}).get("strength", 3) < 3)

    def _writable(self) -> None:
        if self.kind != "collection":
            raise Refusal(166, f"Namespace {self.namespace} is a {self.kind}, not a collection")


def _is_equality(condition: object) -> bool:
    return has_operators(condition) and set(condition) == {"$eq"}


def _changed(document: Document, change: Document) -> Document:
    after = copy.deepcopy(document)
    for name in (*change.get("$set", ()), *change.get("$setOnInsert", ()), *change.get("$unset", ())):
        if "." in name or name == "":
            raise Refusal(2, f"paths are not known here: {name}")
    for name in change.get("$unset", ()):
        after.pop(name, None)
    after.update(copy.deepcopy(change.get("$set", {})))
    return after
