"""Put back: what becomes of one write when its run is undone. It decides; nothing leaves from here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args

from pydantic import JsonValue, ValidationError
from pydantic.fields import FieldInfo

from connectors.operation import Arguments, Delivery, Write
from flows.ledger.newest import UNDO
from flows.ledger.written import Written
from flows.run import Run
from flows.weigh import alike, same

Why = Literal[
    "made_by_it",
    "cannot_be_taken_back",
    "not_known_before",
    "no_such_write",
    "not_writable",
    "did_not_arrive",
    "as_before",
    "newer_waits",
    "not_readable",
    "written_since",
]
MEANING: Mapping[Why, str] = {
    "made_by_it": "records that the run made: they stay, since nothing is deleted",
    "cannot_be_taken_back": "acts that no target takes back, such as a charge or an event",
    "not_known_before": "of which it is not known what the target held before",
    "no_such_write": "by an operation, or into a field, that is granted no more",
    "not_writable": "values of before that the target may not be given as they were",
    "did_not_arrive": "that did not arrive: there is nothing to put back, and they are not sent any more",
    "as_before": "values that are as they were before: nothing is to be done",
    "newer_waits": "whose entry has a newer version on its way, or refused: let it arrive, discard it, or "
    "undo its run first, and undo again",
    "not_readable": "of which the target cannot say now what it holds: undo again",
}
AGAIN: Collection[Why] = ("newer_waits", "not_readable")
"""What is not undone now and may be, if an undo is asked for once more."""

NOTHING: Arguments = {}
Fields = Mapping[str, FieldInfo]  # of an operation's arguments, by the names that are sent


@dataclass(frozen=True, slots=True)
class Back:
    """One write of the run, and what becomes of it.

    back: what is sent, by `operation`: what is put back, and what names the record. over: what the target is
    to hold still for that. stays: the names of what else it changed, and why it is not put back. why: why
    nothing can be; "" otherwise.
    """

    one: Written
    operation: str = ""
    back: Arguments = field(default_factory=dict[str, JsonValue])
    over: Arguments = field(default_factory=dict[str, JsonValue])
    stays: Mapping[str, Why] = field(default_factory=dict[str, Why])
    why: Why | Literal[""] = ""

    @property
    def number(self) -> int:
        """How many values are put back; of what is taken back as a whole, one."""
        return len(self.over) or int(bool(self.back))

    @property
    def reasons(self) -> list[Why]:
        """Why something of it is not put back: one word for the whole, or one for each name."""
        return [self.why] if self.why else list(self.stays.values())

    def named(self, why: Why) -> list[str]:
        return [name for name, code in self.stays.items() if code == why]


def hopeless(
    run: Run, write: Write | None, one: Written, waits: Collection[str], *, toggles: bool
) -> Why | Literal[""]:
    """Why nothing of a write can be put back, as far as the ledger knows. toggles: an opposite is granted."""
    if not one.may_be_there:
        return "did_not_arrive"
    if one.entry in waits:
        return "newer_waits"
    if write is None or not _is_bound_so(run, one):
        return "no_such_write"
    if write.delivery is not Delivery.UPSERT or write.present is None:
        return "cannot_be_taken_back"
    if one.creates and not toggles:
        return "made_by_it"
    return "" if one.read else "not_known_before"


def _is_bound_so(run: Run, one: Written) -> bool:
    """Whether its record would be named again by the id that named it."""
    paired = run.paired
    return one.bound == one.patient or bool(paired and one.operation.startswith(f"{paired.pair.target}_"))


def taken(write: Write, one: Written) -> Arguments:
    """What was written, in the arguments that the operation has now."""
    known = fields_of(write)
    return {name: value for name, value in one.values.items() if name in known}


def fields_of(write: Write) -> Fields:
    """What the operation's arguments are, by name."""
    return {inner.alias or name: inner for name, inner in write.arguments.model_fields.items()}


def toggled(one: Written, opposite: str, present: Arguments | None, later: Sequence[Written]) -> Back:
    """Of a write that is taken back as a whole, by its opposite: into a list, out of a list.

    Of these a target says whether it is so: what was read before is None where the write made a difference.
    """
    if not one.creates:
        return Back(one)
    if present is None:
        return Back(one, why="as_before")
    last = _last(other for other in later if other.creates or not other.read)
    if last is not None and (last.by != UNDO or last.operation != one.operation):
        return Back(one, stays=dict.fromkeys(one.values, "written_since"))
    return Back(one, opposite, one.values)


def _last(changing: Iterable[Written]) -> Written | None:
    return max(changing, key=lambda other: other.version, default=None)


def compared(
    run: Run, write: Write, one: Written, present: Arguments | None, later: Sequence[Written]
) -> Back:
    """Field by field. later: what later versions of the entry wrote of the record."""
    known = fields_of(write)
    names_it = _names_it(write, one)
    changed = [name for name in one.arguments if one.changes(name) and name not in names_it]
    stays: dict[str, Why] = {}
    for name in changed:
        if why := _stays(one, name, present, later, known):
            stays[name] = why
    back = {name: (one.before or NOTHING)[name] for name in changed if name not in stays}
    named = {
        name: argument.value
        for name, argument in one.arguments.items()
        if name in names_it or (name not in changed and name in known and known[name].is_required())
    }
    for name in _refused(write, {**named, **back}) & back.keys():
        stays[name] = "not_writable"
        del back[name]
    if not back:
        return Back(one, stays=stays)
    record = write.record(one.bound, {**named, **back})
    if run.ledger.seal.keyed_hash("record", one.operation, record) != one.record:
        return Back(one, why="no_such_write")
    over = {name: one.arguments[name].value for name in back}
    return Back(one, one.operation, {**named, **back}, over, stays)


def _names_it(write: Write, one: Written) -> set[str]:
    """The arguments that say which record is meant, such as a row's key beside the patient."""

    def without(left: str) -> Arguments:
        return {name: value for name, value in one.values.items() if name != left}

    record = write.record(one.bound, one.values)
    return {name for name in one.values if write.record(one.bound, without(name)) != record}


def _stays(
    one: Written, name: str, present: Arguments | None, later: Sequence[Written], known: Fields
) -> Why | Literal[""]:
    before = one.before or NOTHING
    if name not in known:
        return "no_such_write"
    if name not in before:
        return "not_known_before"
    if present is not None and is_same(known, name, before[name], present.get(name)):
        return "as_before"
    ours = one.arguments[name].value
    if present is None or not is_still(known, name, ours, present.get(name)):
        return "written_since"
    return "written_since" if _is_later(known, name, ours, later) else ""


def _is_later(known: Fields, name: str, ours: JsonValue, later: Sequence[Written]) -> bool:
    """Whether a value that equals ours is a later version's own.

    It is not where that wrote again what was there, nor where an undo put ours back.
    """
    last = _last(other for other in later if _changes(known, name, other))
    return last is not None and not (
        last.by == UNDO and is_still(known, name, ours, last.arguments[name].value)
    )


def _changes(known: Fields, name: str, other: Written) -> bool:
    if name not in other.arguments or not other.changes(name):
        return False
    before = other.before or NOTHING
    return name not in before or not is_still(known, name, other.arguments[name].value, before[name])


def is_same(known: Fields, name: str, one: JsonValue, other: JsonValue) -> bool:
    """Equal values. Two texts are compared as numbers only where a number is meant: 250.1 may be a code."""
    texts = isinstance(one, str) and isinstance(other, str)
    return (
        one == other
        if texts and not (name in known and _is_number(known[name].annotation))
        else same(one, other)
    )


def _is_number(kind: object) -> bool:
    return kind is Decimal or any(map(_is_number, get_args(kind)))


def is_still(known: Fields, name: str, ours: JsonValue, present: JsonValue) -> bool:
    """Whether that is our value, however the target writes it."""
    return is_same(known, name, ours, present) or alike(name, ours, present)


def _refused(write: Write, arguments: Arguments) -> set[str]:
    """The names of what the operation itself does not take."""
    try:
        write.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return {str(one["loc"][0]) for one in found if one["loc"]}
    return set()
