"""The records of one object type: by id, by unique value, with what a late index still shows of them."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from connectors.sandbox.hubspot.properties import STAGES, Property, defaults, spelled
from connectors.sandbox.hubspot.reply import RefusedError, invalid

UNIQUE_MAX = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as the search's index shows it."""

    modified: int  # milliseconds
    properties: Mapping[str, str]
    archived: bool


@dataclass(slots=True)
class Record:
    """One contact or company."""

    id: int
    created: int  # milliseconds since 1970
    modified: int
    properties: dict[str, str]
    touched: int = 0  # when it was really written, whatever its stamp says
    archived_at: int | None = None
    merged: tuple[int, ...] = ()  # the records that went into this one
    before: Seen | None = None  # what a late index shows until it has caught up
    edits: dict[str, list[tuple[int, str]]] = field(default_factory=dict[str, list[tuple[int, str]]])

    @property
    def archived(self) -> bool:
        return self.archived_at is not None

    def value(self, name: str) -> str | None:
        """What it has in a property, HubSpot's own ones included."""
        if name == "hs_object_id":
            return str(self.id)
        if name in ("lastmodifieddate", "hs_lastmodifieddate"):
            return spelled(self.modified)
        if name == "createdate":
            return spelled(self.created)
        if name == "hs_merged_object_ids":
            return ";".join(str(id_) for id_ in self.merged) or None
        return self.properties.get(name)

    def note(self, name: str, value: str, now: int) -> None:
        """A value of a property from now on. Of what was there when it was made only a change is kept."""
        if self.properties.get(name) == value or now == self.created:
            return
        if name not in self.edits:
            self.edits[name] = [(self.created, self.properties[name])] if name in self.properties else []
        self.edits[name].append((now, value))

    def past(self, names: Sequence[str]) -> dict[str, JsonValue]:
        """The versions of these properties, the newest first."""
        first = {name: [(self.created, self.properties[name])] for name in names if name in self.properties}
        found = {**first, **{name: self.edits[name] for name in names if name in self.edits}}
        return {
            name: [
                {"value": value, "timestamp": spelled(at), "sourceType": "CRM_UI"} for at, value in its[::-1]
            ]
            for name, its in found.items()
        }


@dataclass
class Store:
    """All records of one type. The portal's lock is held by whoever calls."""

    object_type: str
    properties: dict[str, Property] = field(default_factory=dict[str, Property])
    records: dict[int, Record] = field(default_factory=dict[int, Record])
    order: list[int] = field(default_factory=list[int])  # ids, ascending
    unique: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    merged_into: dict[int, int] = field(default_factory=dict[int, int])
    next_id: int = 1001

    def __post_init__(self) -> None:
        for one in defaults(self.object_type):
            self.properties[one.name] = one
        if self.object_type == "contacts":
            self.unique["email"] = {}

    def forget(self) -> None:
        """No records any more; the properties stay."""
        for index in self.unique.values():
            index.clear()
        self.records.clear()
        self.order.clear()
        self.merged_into.clear()

    def define(self, new: Property) -> None:
        """Add a property. Raises where HubSpot would refuse it."""
        new.check()
        if new.name in self.properties:
            raise RefusedError(409, "OBJECT_ALREADY_EXISTS", f"Property {new.name} already exists")
        if new.has_unique_value:
            mine = [
                one for one in self.properties.values() if one.has_unique_value and not one.hubspot_defined
            ]
            if len(mine) >= UNIQUE_MAX:
                raise invalid("The limit of unique properties is reached")
            self.unique[new.name] = {}
        self.properties[new.name] = new

    def find(self, id_: str, by: str | None) -> Record | None:
        """The record of an id, or of a unique property's value; no archived one."""
        if by in (None, "hs_object_id"):
            number = int(id_) if id_.isdecimal() else -1
            record = self.records.get(self.merged_into.get(number, number))
        else:
            if by not in self.unique:
                raise invalid(f"{by} is not a unique property", propertyName=[str(by)])
            found = self.unique[str(by)].get(id_.lower() if by == "email" else id_)
            record = None if found is None else self.records[found]
        return None if record is None or record.archived else record

    def after(self, id_: int) -> Iterator[Record]:
        """The records with a greater id, ascending."""
        for at in range(bisect_right(self.order, id_), len(self.order)):
            yield self.records[self.order[at]]

    def checked(self, given: Mapping[str, str]) -> dict[str, str | None]:
        """These values as they would be kept."""
        unknown = [name for name in given if name not in self.properties]
        if unknown:
            errors = [
                {"message": f"Property {name} does not exist", "code": "PROPERTY_DOESNT_EXIST"}
                for name in unknown
            ]
            context = {"propertyName": unknown}
            raise RefusedError(
                400, "VALIDATION_ERROR", "Property values were not valid", errors=errors, context=context
            )
        return {name: self.properties[name].stored(value) for name, value in given.items()}

    def conflict(self, values: Mapping[str, str | None], own: int | None) -> None:
        """Raises if another record has one of these unique values."""
        for name, index in self.unique.items():
            holder = index.get(values.get(name) or "")
            if holder is not None and holder != own:
                what = "Contact" if self.object_type == "contacts" else "Company"
                raise RefusedError(
                    409,
                    "CONFLICT",
                    f"{what} already exists. Existing ID: {holder}",
                    context={"existingObjectId": [str(holder)], "propertyName": [name]},
                )

    def create(self, values: Mapping[str, str | None], now: int) -> Record:
        """A new record with values that were checked."""
        self.conflict(values, None)
        record = Record(self.next_id, now, now, {}, now)
        self.next_id += 1
        self.records[record.id] = record
        self.order.append(record.id)
        self._set(record, values)
        return record

    def update(self, record: Record, values: Mapping[str, str | None], now: int) -> None:
        """New values for a record; they were checked."""
        self.conflict(values, record.id)
        self.remember(record, now)
        stage = values.get("lifecyclestage")
        if stage is not None and STAGES.index(stage) < _reached(record):
            values = {name: value for name, value in values.items() if name != "lifecyclestage"}
        self._set(record, values)
        record.modified = now

    def archive(self, record: Record, now: int) -> None:
        """It is gone from all listings but that of the archived ones, and its unique values are free."""
        self.remember(record, now)
        record.archived_at = now
        self._release(record)

    def merge(self, primary: Record, other: Record, now: int) -> None:
        """`other` goes into `primary`: its values fill gaps, its e-mail is kept as an additional one."""
        self.archive(other, now)
        kept = {name: value for name, value in other.properties.items() if name not in primary.properties}
        self.remember(primary, now)
        emails = [
            other.properties.get("email"),
            *(other.properties.get("hs_additional_emails") or "").split(";"),
        ]
        more = [email for email in emails if email and email != primary.properties.get("email")]
        self._set(primary, dict[str, str | None](kept))
        if more and "email" in primary.properties and kept.get("email") is None:
            old = (primary.properties.get("hs_additional_emails") or "").split(";")
            primary.properties["hs_additional_emails"] = ";".join(dict.fromkeys([*filter(None, old), *more]))
            self.unique["email"] |= dict.fromkeys(more, primary.id)
        primary.merged += (other.id, *other.merged)
        primary.modified = now
        self.merged_into |= dict.fromkeys((other.id, *other.merged), primary.id)

    def remember(self, record: Record, now: int) -> None:
        """Before it changes: what a late index goes on to show."""
        record.before = Seen(record.modified, dict(record.properties), record.archived)
        record.touched = now

    def _set(self, record: Record, values: Mapping[str, str | None]) -> None:
        for name, value in values.items():
            index = self.unique.get(name)
            if index is not None and record.properties.get(name) is not None:
                index.pop(record.properties[name], None)
            record.note(name, value or "", record.touched)
            if value is None:
                record.properties.pop(name, None)
            else:
                record.properties[name] = value
                if index is not None:
                    index[value] = record.id

    def _release(self, record: Record) -> None:
        for name, index in self.unique.items():
            held = [record.properties.get(name, "")]
            if name == "email":
                held += record.properties.get("hs_additional_emails", "").split(";")
            for value in held:
                if index.get(value) == record.id:
                    del index[value]


def _reached(record: Record) -> int:
    """A lifecycle stage moves forward only: one that lies before this is ignored in silence."""
    held = record.properties.get("lifecyclestage")
    return -1 if held is None else STAGES.index(held)
