"""The review as text: what the page shows, for a terminal and for who cannot use a page."""

from collections.abc import Iterator

from agent.visible import visible
from flows.ledger import seen
from flows.review import checklist, figures, going_live, questions, waits
from flows.review.desk import Desk, counted
from flows.review.door import Role, Session
from flows.review.shown import Shown
from flows.review.telling import Told
from flows.settings import Settings
from flows.tenants import Deployment
from flows.trend import Past, past

RUNS = 10
COUNTED = ("listed", "unchanged", "planned", "skipped", "review", "quarantined", "model_tokens")


def review(settings: Settings, deployment: Deployment, desk: Desk, session: Session) -> Iterator[str]:
    """Every part of the review in turn. Values only for a reviewer; each look is in the audit."""
    values, show = session.role >= Role.REVIEWER, Shown(deployment, desk)
    yield from _titled("Overview", overview(desk))
    yield from _titled("Runs", (_run(one) for one in past(desk.ledger)[:RUNS]))
    sample = show.sample(session)
    yield from _titled(
        f"{len(sample)} writes that nobody has judged yet", (line for one in sample for line in _write(one))
    )
    yield from _titled(
        "Entries that wait for a person",
        waits.lines(waits.told(deployment, desk.ledger, 0, session.person, values=values)),
    )
    yield from _titled("Deliveries that are held", waits.held_lines(waits.held(desk.ledger)))
    folder = settings.deployments / deployment.label
    yield from _titled("Questions", questions.lines(questions.still_open(folder), folder))
    yield from _titled("Before it goes live", checklist.lines(going_live.points(settings, deployment)))


def overview(desk: Desk) -> Iterator[str]:
    """How many entries and writes there are, by each of what may be asked for."""
    groups, found = seen.groups(desk.ledger), desk.lines()
    states = ", ".join(f"{one.word} {one.number}" for one in figures.numbers(groups))
    yield f"{sum(one.number for one in groups)} entries: {states}"
    yield f"{len(found)} planned writes"
    for name, counts in counted(found).items():
        told = ", ".join(f"{value} {number}" for value, number in counts.most_common())
        if told:
            yield f"by {name}: {told}"


def _write(one: Told) -> Iterator[str]:
    """A write field by field, with its key, by which it is marked."""
    yield f"{one.who}: {one.line.operation}, {one.line.kind}: {one.state}; key {one.line.key}"
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


def _by_number(sentence: tuple[str, str]) -> tuple[int, str]:
    number = sentence[0]
    return int("".join(filter(str.isdecimal, number)) or 0), number


def _run(one: Past) -> str:
    counts = ", ".join(
        f"{one.counts[name]} {name.replace('_', ' ')}" for name in COUNTED if one.counts.get(name)
    )
    took = f" in {one.took.total_seconds():.1f} s" if one.took else ""
    return f"{one.started:%Y-%m-%d %H:%M} UTC: {one.kind} {one.state}{took}: {counts or 'nothing'}"


def _titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"== {title}"
    yield from map(visible, lines)
    yield ""
