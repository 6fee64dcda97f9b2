"""Reading entries: many patients in few requests, each patient answered for, none invented.

An id that a batch does not give back is asked for once more by itself. An error is never an empty
list: rows are counted against the number that Healthie names.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import islice
from typing import Final, TypeVar

from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError

from connectors.entry import Absent, Reading
from connectors.errors import Rejected, Transient
from connectors.healthie.client import Client
from connectors.healthie.entry import project
from connectors.healthie.patient import Patient
from connectors.healthie.query import (
    Selection,
    Want,
    packed,
    patients_document,
    rows_document,
    select,
    single_patients_document,
)
from connectors.healthie.reply import FORBIDDEN, Json, Reply

T = TypeVar("T")
R = TypeVar("R")

THREADS: Final = 4
WAVE: Final = 8  # requests for patients before the rows of these are read: bounds memory
PARSED_AT_ONCE: Final = 50
ROUNDS: Final = 4  # readings of a list until two numbers of its rows agree

_PATIENTS: Final = TypeAdapter(list[Patient], config=ConfigDict(hide_input_in_errors=True))


@dataclass(slots=True)
class Draft:
    """What is known of one patient so far."""

    id: str
    node: Json | None = None
    absent: Absent | None = None
    counts: dict[str, int] = field(default_factory=dict[str, int])
    rows: dict[str, dict[str, JsonValue]] = field(default_factory=dict[str, dict[str, JsonValue]])
    rounds: dict[str, int] = field(default_factory=dict[str, int])

    def give_up(self, reason: str) -> None:
        self.absent = Absent(self.id, "restricted" if reason in FORBIDDEN else "unreadable")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads entries with one set of fields."""

    client: Client
    zone: tzinfo

    def read(self, patients: Sequence[str], paths: Collection[str]) -> Iterator[Reading]:
        """One reading for each distinct patient, in no promised order."""
        wanted = frozenset(paths)
        selection = select(wanted)
        ids = iter(dict.fromkeys(patients))
        size = selection.patients_at_once
        while wave := list(islice(ids, size * WAVE)):
            drafts = self._wave(selection, wanted, wave)
            yield from finished(drafts.values(), wanted, self.zone)

    def _wave(self, selection: Selection, paths: frozenset[str], ids: Sequence[str]) -> dict[str, Draft]:
        drafts = {id_: Draft(id_) for id_ in ids}
        size = selection.patients_at_once
        _at_once(lambda batch: self._patients(paths, batch, drafts), list(_chunks(ids, size)))
        missing = [draft.id for draft in drafts.values() if draft.node is None and draft.absent is None]
        _at_once(lambda batch: self._singly(paths, batch, drafts), list(_chunks(missing, size)))
        self._rows(selection, drafts)
        return drafts

    def _patients(self, paths: frozenset[str], ids: Sequence[str], drafts: dict[str, Draft]) -> None:
        """The patients of one batch, and how many rows each has."""
        selection = select(paths)
        variables: dict[str, JsonValue] = {"ids": list(ids), "first": len(ids)}
        if selection.areas:
            variables |= {f"p{at}": id_ for at, id_ in enumerate(ids)}
        reply = self.client.run(patients_document(paths, len(ids)), variables)
        nodes = _nodes(reply.data.get("users"))
        broken = _broken(reply, len(nodes))
        for at, node in enumerate(nodes):
            if not isinstance(node, dict) or str(node.get("id")) not in ids:
                continue
            draft = drafts[str(node.get("id"))]
            draft.node = node
            if at in broken:
                draft.give_up(broken[at])
        for at, id_ in enumerate(ids):
            for area in selection.areas:
                _count(reply, f"{area}_{at}", area, drafts[id_])

    def _singly(self, paths: frozenset[str], ids: Sequence[str], drafts: dict[str, Draft]) -> None:
        """Patients that their batch did not give back, each under an alias of its own."""
        variables: dict[str, JsonValue] = {f"p{at}": id_ for at, id_ in enumerate(ids)}
        try:
            reply = self.client.run(single_patients_document(paths, len(ids)), variables)
        except Rejected as refused:
            if refused.code != "http_404":
                raise
            if len(ids) == 1:  # documented: a missing object may answer a bare 404
                drafts[ids[0]].absent = Absent(ids[0], "unknown")
                return
            for id_ in ids:
                self._singly(paths, [id_], drafts)
            return
        for at, id_ in enumerate(ids):
            _single(reply, f"user_{at}", drafts[id_])

    def _rows(self, selection: Selection, drafts: dict[str, Draft]) -> None:
        """The rows of all areas of these patients, page by page."""
        wants = [want for draft in drafts.values() for want in _first_wants(selection, draft)]
        while wants:
            answered = _at_once(lambda batch: self._pages(selection, batch), packed(selection, wants))
            more = [
                next_want
                for answers in answered
                for want, page, fault in answers
                for next_want in _take(selection, drafts[want.patient], want, page, fault)
            ]
            wants = more

    def _pages(self, selection: Selection, wants: Sequence[Want]) -> list[tuple[Want, JsonValue, str | None]]:
        variables: dict[str, JsonValue] = {}
        for at, want in enumerate(wants):
            variables |= {f"p{at}": want.patient, f"n{at}": want.first, f"c{at}": want.after}
        reply = self.client.run(rows_document(selection, [want.area for want in wants]), variables)
        answers: list[tuple[Want, JsonValue, str | None]] = []
        for at, want in enumerate(wants):
            alias = f"{want.area}_{at}"
            fault = reply.fault_of(alias)
            answers.append((want, reply.data.get(alias), fault.code if fault else None))
        return answers


def finished(drafts: Iterable[Draft], paths: frozenset[str], zone: tzinfo) -> Iterator[Reading]:
    """The readings of these patients: parsed, normalised, projected."""
    whole: list[Json] = []
    for draft in drafts:
        if draft.absent is not None:
            yield draft.absent
        elif draft.node is None:
            yield Absent(draft.id, "unknown")
        elif draft.node.get("restricted") is True:
            yield Absent(draft.id, "restricted")
        else:
            whole.append({**draft.node, **{area: list(rows.values()) for area, rows in draft.rows.items()}})
    for part in _chunks(whole, PARSED_AT_ONCE):
        for node, patient in zip(part, _parsed(part), strict=True):
            yield Absent(str(node["id"]), "unreadable") if patient is None else project(patient, paths, zone)


def _parsed(nodes: Sequence[Json]) -> Sequence[Patient | None]:
    """All at once, which is fast; one by one only if some do not parse."""
    try:
        return _PATIENTS.validate_python(nodes)
    except ValidationError:
        return [_one(node) for node in nodes]


def _one(node: Json) -> Patient | None:
    try:
        return Patient.model_validate(node)
    except ValidationError:
        return None


def _broken(reply: Reply, size: int) -> Mapping[int, str]:
    """{position in a batch: code of what is wrong there}.

    Raises Rejected for a fault at no single patient: it may have spoiled any of them.
    """
    broken: dict[int, str] = {}
    for fault in reply.faults:
        if fault.path[:1] == ("users",):
            at = fault.path[2] if fault.path[1:2] == ("nodes",) and len(fault.path) > 2 else None
            if not isinstance(at, int) or not 0 <= at < size:
                raise Rejected("partial_answer", "healthie: the patients of a batch could not be read")
            broken[at] = fault.code
    return broken


def _single(reply: Reply, alias: str, draft: Draft) -> None:
    # UNVERIFIED: what Healthie answers for a restricted patient outside the care team; a null is "unknown"
    node, fault = reply.data.get(alias), reply.fault_of(alias)
    if fault is not None and fault.code != "NOT_FOUND":
        draft.give_up(fault.code)
    elif isinstance(node, dict) and str(node.get("id")) == draft.id and node.get("is_patient") is not False:
        draft.node = node
    else:  # null, a merged patient's successor, or no patient at all
        draft.absent = Absent(draft.id, "unknown")


def _count(reply: Reply, alias: str, area: str, draft: Draft) -> None:
    fault, connection = reply.fault_of(alias), reply.data.get(alias)
    number = connection.get("total_count") if isinstance(connection, dict) else None
    if fault is not None and fault.code == "NOT_FOUND":
        return  # an id that is no patient's: the patient itself will say so
    if fault is not None or not isinstance(number, int):
        draft.give_up(fault.code if fault else "")
    else:
        draft.counts[area] = number


def _first_wants(selection: Selection, draft: Draft) -> Iterator[Want]:
    if draft.node is None or draft.absent is not None or draft.node.get("restricted") is True:
        return
    for area in selection.areas:
        draft.rows[area] = {}
        if area not in draft.counts:
            draft.give_up("")
        elif draft.counts[area] > 0:
            yield Want(draft.id, area, min(draft.counts[area], selection.rows_at_once(area)))


def _take(
    selection: Selection, draft: Draft, want: Want, page: JsonValue, fault: str | None
) -> Iterator[Want]:
    """Add a page to its patient; yields what is to be read next of that list."""
    if fault is not None or not isinstance(page, dict):
        draft.give_up(fault or "")
        return
    rows = draft.rows[want.area]
    before = len(rows)
    for row in _nodes(page):
        if not isinstance(row, dict) or "id" not in row:
            draft.give_up("")
            return
        rows[str(row["id"])] = row
    more, cursor = _onward(page)
    if more and cursor is not None and len(rows) > before:  # each page brings rows: so it ends
        yield Want(draft.id, want.area, selection.rows_at_once(want.area), cursor)
    elif more or not page.get("total_count") == len(rows) == draft.counts[want.area]:
        yield from _again(selection, draft, want, page.get("total_count"))


def _again(selection: Selection, draft: Draft, want: Want, total: JsonValue) -> Iterator[Want]:
    """A list that does not add up with its number before is read again from its start, a few times.

    What never adds up spoils this patient alone: it is unreadable, no shorter list.
    """
    read = draft.rounds.get(want.area, 1)
    if read >= ROUNDS:
        draft.give_up("")
        return
    draft.rounds[want.area] = read + 1
    draft.rows[want.area] = {}
    draft.counts[want.area] = total if isinstance(total, int) else -1
    size = max(draft.counts[want.area], 1)
    yield Want(draft.id, want.area, min(size, selection.rows_at_once(want.area)))


def _onward(page: Json) -> tuple[bool, str | None]:
    """Is there more, and from where?"""
    info = page.get("page_info")
    if not isinstance(info, dict):
        raise Transient("incomplete_listing", "healthie: a page without its end")
    cursor = info.get("end_cursor")
    return info.get("has_next_page") is True, cursor if isinstance(cursor, str) else None


def _nodes(connection: JsonValue) -> list[JsonValue]:
    """The rows of a connection. Raises Transient if there is none: that is no empty list."""
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    if not isinstance(nodes, list):
        raise Transient("incomplete_listing", "healthie: an answer without its rows")
    return nodes


def _chunks(ids: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Even batches of at most `size`."""
    count = -(-len(ids) // size)
    for at in range(count):
        yield ids[len(ids) * at // count : len(ids) * (at + 1) // count]


def _at_once(act: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """All parts, a few at a time; the first error is raised."""
    if len(parts) < 2:
        return [act(part) for part in parts]
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="healthie")
    try:
        return list(pool.map(act, parts))
    finally:
        pool.shutdown(cancel_futures=True)  # after an error, what has not begun is not begun
