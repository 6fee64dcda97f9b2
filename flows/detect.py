"""Changed, read, fingerprint: which entries to decide anew. Everything nominates; the fingerprint decides."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from connectors.changes import Cursor, scan
from connectors.entry import Absent, Found, canonical
from flows import acts, paired
from flows.ledger import audit, entries, runs
from flows.ledger.entries import Known
from flows.ledger.store import now
from flows.run import Candidate, Run

PAGE = 500  # entries held in memory at a time


def pages(run: Run) -> Iterator[list[str]]:
    """The patients whose entries may differ from what was last handled, each once, page by page."""
    named = _each_once(_nominated(run))
    while page := list(islice(named, PAGE)):
        yield page


def _nominated(run: Run) -> Iterator[str]:
    known = runs.cursors(run.ledger)
    if run.kind == "retry":
        yield from entries.to_try_again(run.ledger, run.today, run.versions.instructions)
        return
    if run.kind in ("resync", "sweep") or _sweep_is_due(run, known):
        yield from _everyone(run)
        return
    yield from entries.to_try_again(run.ledger, run.today, run.versions.instructions)
    yield from paired.nominated(run)
    for feed in run.source.feeds(paired.reads(run)):
        reading = scan(feed, known.get(feed.name), now=now)
        for changes in reading:
            yield from (change.patient for change in changes)
        run.cursors[feed.name] = reading.cursor


def _sweep_is_due(run: Run, known: dict[str, Cursor]) -> bool:
    feeds = {feed.name for feed in run.source.feeds(paired.reads(run))}
    last = known.get(runs.SWEEP)
    if last is None or not feeds <= set(known):
        return True
    return run.started - last.watermark >= run.deployment.integration.sweep_every


def _everyone(run: Run) -> Iterator[str]:
    """Every patient, and those that are known and not listed any more: reading them says why.

    The feeds go on, at the next run, from the moment this listing began.
    """
    run.count("swept")
    begun = min(run.started, run.source.clock or run.started)
    known = set(entries.everyone(run.ledger))
    for page in run.source.everyone():
        known.difference_update(page)
        yield from page
    run.unlisted |= known
    yield from sorted(known)
    for feed in run.source.feeds(paired.reads(run)):
        run.cursors[feed.name] = Cursor(watermark=begun)
    run.cursors[runs.SWEEP] = Cursor(watermark=begun)


def _each_once(patients: Iterable[str]) -> Iterator[str]:
    met: set[str] = set()
    for patient in patients:
        if patient not in met:
            met.add(patient)
            yield patient


def changed(run: Run, patients: Sequence[str]) -> list[Candidate]:
    """Read these entries; give those that differ from their last handled version, or are open.

    Unchanged and absent ones are counted and noted, and cost nothing more.
    """
    known = entries.known(run.ledger, patients)
    candidates: list[Candidate] = []
    unchanged: list[Known] = []
    gone: list[tuple[Known, str]] = []
    _note_reading(run, known.values())
    for reading in run.source.read(patients, paired.reads(run)):
        entry = known[reading.patient]
        if isinstance(reading, Absent):
            gone.append((entry, reading.reason))
            continue
        for trouble in reading.troubles:
            run.count("troubles", code=trouble)
        candidate = _candidate(run, entry, reading)
        if _is_to_decide(run, candidate):
            candidates.append(candidate)
        else:
            unchanged.append(entry)
    _note(run, unchanged, gone)
    run.count("listed", len(patients))
    return paired.sift(run, candidates)


def _note_reading(run: Run, known: Iterable[Known]) -> None:
    """First the audit, then the read. A dry run has no lease: it is noted where a person's acts are."""
    if run.dry:
        act = f"entries of {run.ledger.name} read for a dry run"
        acts.note_beside(run.ledger, act, *(one.patient_hash for one in known))
        return
    with run.ledger.writing("read") as connection:
        entries.reading(run.ledger, connection, known)


def _candidate(run: Run, known: Known, found: Found) -> Candidate:
    fingerprint = run.ledger.seal.keyed_hash_of(canonical(found.entry))
    if run.paired is None:
        return Candidate(known, found, fingerprint)
    own, rest = paired.owned(run.paired, found), paired.rest(run, run.paired, found.entry)
    needed, named = paired.without_read_along(run, found)
    return Candidate(known, needed, fingerprint, named=named, own=own, rest=rest)


def _is_to_decide(run: Run, candidate: Candidate) -> bool:
    known = candidate.known
    if (
        run.kind == "resync"
        or candidate.fingerprint != known.fingerprint
        or known.is_open(run.versions.instructions)
        or (run.paired is not None and known.patient in run.paired.contested)
    ):
        return True
    return known.again_on is not None and known.again_on <= run.today


def _note(run: Run, unchanged: list[Known], gone: list[tuple[Known, str]]) -> None:
    run.count("unchanged", len(unchanged))
    for entry, reason in gone:
        run.count("absent", code=reason)
        if _may_come_back(run, entry, reason):
            run.count("unread")
    if run.dry or not (unchanged or gone):
        return
    with run.ledger.writing("seen") as connection:
        entries.seen(run.ledger, connection, (entry.ref for entry in unchanged))
        for entry in unchanged:
            if entry.away:
                entries.back(run.ledger, connection, entry)
        for entry, reason in gone:
            listed = entry.patient not in run.unlisted
            entries.absent(run.ledger, connection, entry, reason, listed=listed)
        hashes = [entry.patient_hash for entry in (*unchanged, *(entry for entry, _ in gone))]
        act = "entries unchanged, or absent" if gone else "entries unchanged"
        audit.add(run.ledger, connection, act, len(hashes), *hashes)


def _may_come_back(run: Run, entry: Known, reason: str) -> bool:
    """Whether the source lists an entry that it did not give, so that it is asked for again."""
    if reason in entries.MAY_COME_BACK:
        return True
    again = entry.attempts + 1 < entries.ATTEMPTS and entry.patient not in run.unlisted
    return reason == entries.NOT_GIVEN and again
