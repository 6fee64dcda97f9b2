"""The review as text: what the page shows, for a terminal and for who cannot use a page."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from agent.visible import visible
from flows.ledger import seen, waiting
from flows.review import charts, checklist, figures, going_live, questions, waits
from flows.review.desk import KINDS, RUNS, Desk, counted
from flows.review.door import Role, Session
from flows.review.figures import several
from flows.review.shown import LISTED, SHOWN, Listed, Shown, offset
from flows.review.telling import Told, ToldEntry
from flows.settings import Settings
from flows.tenants import Deployment
from flows.trend import Past, past

T = TypeVar("T")
COUNTED = ("listed", "unchanged", "planned", "skipped", "review", "quarantined", "model_tokens")
OF_WRITES = frozenset({"field", "kind", "operation", "mark", "key"})  # what no entry without a write has


def review(
    settings: Settings, deployment: Deployment, desk: Desk, session: Session, asked: Mapping[str, str]
) -> Iterator[str]:
    """Every part of the review in turn; of what is asked for, the lists. Each look is in the audit.

    asked: filters, and how many of each list are passed over (`at`), by the names that addresses have.
    """
    show = Shown(deployment, desk)
    asked = dict(asked)
    if asked.get("entry"):
        asked["entry"] = show.pseudonym(session, asked["entry"])
    if not asked:
        yield from _titled("Overview", overview(deployment, desk, show))
        yield from _titled("Runs", map(_run, past(desk.ledger)[:LISTED]))
        sample = show.sample(session)
        what = several(len(sample), "write", "writes")
        yield from _titled(f"{what} that nobody has judged yet", _each(_write, sample))
    elif "reason" not in asked:
        found = show.listed_writes(session, asked, desk.lines())
        yield from _titled(_span(found, "planned write", "planned writes"), _each(_write, found.ones))
    if not OF_WRITES & asked.keys():
        without = show.listed_entries(session, asked)
        which = "" if "entry" in asked or "state" in asked else " without a write"
        title = _span(without, f"entry{which}", f"entries{which}")
        yield from _titled(title, _each(_entry, without.ones))
    if not asked.keys() - {"at"}:
        yield from _waiting(deployment, desk, session, offset(asked))
    if not asked:
        yield from _before_live(settings, deployment, desk)


def overview(deployment: Deployment, desk: Desk, show: Shown) -> Iterator[str]:
    """How many entries and writes there are, by each of what may be asked for."""
    groups, found, runs = seen.groups(desk.ledger), desk.lines(), past(desk.ledger, RUNS)
    judged, zone = figures.judged(found, desk.verdicts()), deployment.timezone
    states = ", ".join(f"{one.word} {one.number}" for one in figures.numbers(groups))
    entries = several(sum(one.number for one in groups), "entry", "entries")
    writes = several(len(found), "planned write", "planned writes")
    yield f"{entries}: {states}; {seen.unchanged(desk.ledger)} unchanged when last read"
    yield f"{writes}: {judged.right} right, {judged.wrong} wrong, {judged.left} not judged"
    for name, counts in counted(found).items():
        told = ", ".join(f"{value} {number}" for value, number in counts.most_common())
        if told:
            yield f"by {name}: {told}"
    for by in figures.by_operation(deployment.integration.targets, found):
        kinds = ", ".join(f"{kind} {by.kinds[kind]}" for kind in KINDS)
        yield f"target {by.target or '(none)'}, {by.operation}: {kinds}; refused {by.refused}; all {by.total}"
    for of in figures.by_sentence(show.texts, found, groups):
        writes = several(of.writes, "write", "writes")
        yield f"{of.number}: {writes}, {of.skipped} skipped, {of.review} to review; {of.text}"
    for one in groups:
        if one.state in seen.WITHOUT:
            because = f" by {' '.join(one.because)}" if one.because else ""
            word, entries = figures.ENTRIES[one.state][0], several(one.number, "entry", "entries")
            yield f"{word}, {one.code or 'no reason given'}{because}: {entries}"
    for chart in (charts.by_day(runs, zone), charts.durations(runs, zone), charts.tokens(runs, zone)):
        yield f"{chart.title}:"
        yield from (f"  {', '.join(_cells(chart.heads, row))}" for row in chart.rows)
    if stage := desk.stage():
        yield f"staging ends on {show.time(stage.ends)}; then all of this is destroyed"
    yield "see every write, or entry, with its key: --at 0, or one of the filters (--help)"


def _waiting(deployment: Deployment, desk: Desk, session: Session, at: int) -> Iterator[str]:
    values = session.role >= Role.REVIEWER
    found = waits.told(deployment, desk.ledger, at, session.person, values=values)
    listed = Listed(found, waiting.number(desk.ledger), at)
    title = _span(listed, "entry waits for a person", "entries wait for a person", waits.SHOWN)
    yield from _titled(title, waits.lines(found))
    yield from _titled("Deliveries that are held", waits.held_lines(waits.held(desk.ledger)))


def _before_live(settings: Settings, deployment: Deployment, desk: Desk) -> Iterator[str]:
    folder = settings.deployments / deployment.label
    yield from _titled("Questions", questions.lines(questions.still_open(folder), folder))
    yield from _titled("Before it goes live", checklist.lines(going_live.points(settings, deployment)))


def _write(one: Told) -> Iterator[str]:
    """A write field by field, with its key, by which it is marked."""
    who = one.who if one.line.entry in one.who else f"{one.who}, entry {one.line.entry}"
    code = f" ({one.line.code})" if one.line.code else ""
    by = "" if one.by == "program" else f"; decided by {one.by}"
    yield f"{who}: {one.line.operation}, {one.line.kind}: {one.state}{code}{by}; key {one.line.key}"
    sentences = dict(one.besides)
    for field in one.fields:
        change = f"{field.before} → {field.after}" if field.before and field.changes else field.after
        same = "" if field.changes else " (as it is)"
        numbers = " ".join(number for number, _ in field.because)
        yield f"  {field.name}: {change}{same} ← {field.source} by {numbers}"
        sentences |= dict(field.because)
    yield from (f"  {number}. {text}" for number, text in sorted(sentences.items(), key=_by_number))
    if one.mark:
        remark = f": {one.mark.remark}" if one.mark.remark else ""
        yield f"  marked {one.mark.verdict} by {one.mark.by}{remark}"


def _entry(one: ToldEntry) -> Iterator[str]:
    """An entry, why nothing is written of it, and what it was decided on."""
    who = one.who if one.seen.ref in one.who else f"{one.who}, entry {one.seen.ref}"
    where = f" at {one.where}" if one.where else ""
    yield f"{who}: {one.state}{f' ({one.reason}{where})' if one.reason else ''}: {one.means}"
    yield from (f"  {number}. {text}" for number, text in one.sentences)
    yield from (f"  {number} was judged: {answer}" for number, answer in one.judged)
    yield from (f"  {path}: {value}" for path, value in one.values)
    decided = f"decided {one.seen.decided:%Y-%m-%d %H:%M} UTC by {one.seen.by}; " if one.seen.decided else ""
    again = f"; decided again on {one.seen.again_on}" if one.seen.again_on else ""
    yield f"  {decided}read last {one.seen.read:%Y-%m-%d %H:%M} UTC{again}"


def _by_number(sentence: tuple[str, str]) -> tuple[int, str]:
    number = sentence[0]
    return int("".join(filter(str.isdecimal, number)) or 0), number


def _run(one: Past) -> str:
    counts = ", ".join(
        f"{one.counts[name]} {name.replace('_', ' ')}" for name in COUNTED if one.counts.get(name)
    )
    took = f" in {one.took.total_seconds():.1f} s" if one.took else ""
    return f"{one.started:%Y-%m-%d %H:%M} UTC: {one.kind} {one.state}{took}: {counts or 'nothing'}"


def _cells(heads: Iterable[str], row: Iterable[str]) -> Iterator[str]:
    """A row of a table, each cell after its head but the first."""
    first, *others = zip(heads, row, strict=True)
    yield first[1]
    yield from (f"{head} {cell}" for head, cell in others)


def _each(told: Callable[[T], Iterator[str]], ones: Iterable[T]) -> Iterator[str]:
    return (line for one in ones for line in told(one))


def _span(found: Listed[T], one: str, more: str, most: int = SHOWN) -> str:
    """What is listed, which of them, and how the next are seen."""
    last, what = min(found.at + most, found.number), several(found.number, one, more)
    if not found.ones or last - found.at == found.number:
        return what
    following = f"; the next: --at {last}" if last < found.number else ""
    return f"{what}, {found.at + 1} to {last}{following}"


def _titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"== {title}"
    yield from map(visible, lines)
    yield ""
