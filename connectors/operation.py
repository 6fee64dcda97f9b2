"""Operations: the typed acts of a connector, a lookup (read) or a write.

A write declares how often it may arrive (its delivery class), what record it touches, and how the
target can be asked about it afterwards. The engine delivers from these declarations alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, JsonValue

from connectors.entry import Category

Arguments = Mapping[str, JsonValue]
"""The arguments that were set. An absent name is missing; None is null; "" is empty."""


class Delivery(StrEnum):
    """What the target offers, and so what may be promised (design.md, step 6)."""

    KEYED = "keyed"  # A: an idempotency key for a window
    UPSERT = "upsert"  # B: a natural unique key, the newest version wins
    SEARCHABLE = "searchable"  # C: create only, findable by our reference
    BLIND = "blind"  # D: create only, not findable: at most once


class ArgumentModel(BaseModel):
    """Base of every operation's arguments: invented names are refused, values stay out of errors."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery on its way to a target.

    `key` is the delivery's idempotency key and names the item in every answer; `patient` is the
    source's patient id, bound by the engine and never a parameter of a model's.
    """

    key: str
    patient: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item, matched by key and never by position.

    done: applied (or already so). rejected: understood and refused, `code` says why. unknown: only
    a look can tell. transient: surely not applied, may be sent again. superseded: not applied, since the
    target has a newer version of the record; nothing is to be done.
    """

    key: str
    state: Literal["done", "rejected", "unknown", "transient", "superseded"]
    code: str = ""
    reference: str | None = None  # the target's own id of the record; sealed in the ledger


@dataclass(frozen=True, slots=True)
class Claim:
    """A value of an item's record that no other record of the target may have.

    rule: names what must be unique. value: the record's own, spelled so that equal texts are what the target
    takes for equal; None if the record has none. holder: the record that has it in the target now, as
    `Write.record` names it; "" if none does. code: with which the target refuses a second one.
    """

    key: str
    rule: str
    value: str | None
    code: str
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A record of the same target that must be there before the item's.

    write: whose record it is; "" if none of the target's writes makes it. record: as that write names it.
    there: whether the target has it now. code: of the refusal if not.
    """

    key: str
    write: str
    record: str
    code: str
    there: bool


@dataclass(frozen=True, slots=True)
class Lookup:
    """A read that helps to decide. `answer(patient, arguments)` returns JSON, never raises for "none".

    categories: what kind of patient data the answer's fields are, by path without positions. A model is
        shown nothing that is not named here.
    of: the write whose record it shows, under its arguments' names; "" where it is none's.
    """

    name: str
    summary: str
    arguments: type[ArgumentModel]
    answer: Callable[[str, Arguments], JsonValue]
    categories: Mapping[str, Category] = field(default_factory=dict[str, Category])
    of: str = ""


@dataclass(frozen=True, slots=True)
class Asks:
    """How many requests a call takes, of a table that is there as it was declared.

    call: whatever it is about. items: one more for each so many items of the call; 0: for none. first: more
    in the first call of a run, which looks at the table.
    """

    call: int = 1
    items: int = 0
    first: int = 0

    def of(self, number: int) -> int:
        return self.call + (-(-number // self.items) if self.items else 0)


@dataclass(frozen=True, slots=True)
class Write:
    """A write, delivered in batches of at most `batch` items.

    send: applies a batch; gives one outcome per item. Raises Transient (nothing applied), Unknown
        (any of it may be applied) or Unauthorized for the batch as a whole.
    record: names the record that a call touches, so that a newer version supersedes an older one.
    look: for keyed and searchable writes: which items has the target, by our key? {key: reference
        or None}. An item that is absent from the answer could not be settled. For an upsert, where it is
        offered: which record has the item's key?
    present: what the record holds now, in the names of the arguments, for pre-images and
        read-back: {key: values, or None where there is no such record}.
    refuses: what the target would refuse, as far as that is known without sending: an outcome for each of
        those items, rejected. It only reads.
    room: how many new records more the target takes, where it has an end: one beyond is `sheet_full`.
    rules: the same of what the rest of the record decides, or other records: each item has all arguments
        that were set of its record since the target was looked at. It only reads.
    shows: the target's answers show each record as it is afterwards, and `send` calls nothing `done` of
        which it saw another value, or none. That is the read-back then; a sample is read besides only in
        a run over everyone.
    presents, sends: how many requests `present` and `send` take: a stage says by it what would leave.
    """

    name: str
    summary: str
    arguments: type[ArgumentModel]
    delivery: Delivery
    send: Callable[[Sequence[Item]], Sequence[Outcome]]
    record: Callable[[str, Arguments], str]
    batch: int = 1
    look: Callable[[Sequence[Item]], Mapping[str, str | None]] | None = None
    present: Callable[[Sequence[Item]], Mapping[str, Arguments | None]] | None = None
    refuses: Callable[[Sequence[Item]], Sequence[Outcome]] | None = None
    room: Callable[[], int] | None = None
    rules: Callable[[Sequence[Item]], Sequence[Outcome | Claim | Need]] | None = None
    money: bool = False  # somebody pays, or owes more, by it
    shows: bool = False
    presents: Asks = Asks()
    sends: Asks = Asks()
    opposite: str = ""  # the write of the same target that undoes this one: never both on one record
    free_text: frozenset[str] = field(default_factory=frozenset[str])
    window: float = 86_400.0  # seconds a keyed target honours a key; after it, look first
    horizon: float = 30.0  # seconds until a look is to be believed: requests in flight, search lag


def arguments_of(model: ArgumentModel) -> dict[str, JsonValue]:
    """The arguments that were set, as JSON values: unset stays missing, None stays null.

    Under the names by which they were given: a field's alias, where it has one.
    """
    return cast(dict[str, JsonValue], model.model_dump(mode="json", exclude_unset=True, by_alias=True))
