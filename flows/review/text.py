"""The review as text: what the page shows, for a terminal and for who cannot use a page."""

from collections.abc import Iterator, Sequence

from flows import acts
from flows.review import checklist, going_live, questions, waits
from flows.review.desk import Desk, Line, counted
from flows.review.door import Role
from flows.review.telling import Told, told
from flows.settings import Settings
from flows.tenants import Deployment
from flows.trend import Past, past

SAMPLE = 20
RUNS = 10
COUNTED = ("listed", "unchanged", "planned", "skipped", "review", "quarantined", "model_tokens")


def review(settings: Settings, deployment: Deployment, desk: Desk, role: Role, person: str) -> Iterator[str]:
    """Every part of the review in turn. Values only for a reviewer; each look is in the audit."""
    values = role >= Role.REVIEWER
    yield from _titled("Overview", overview(desk))
    yield from _titled("Runs", (_run(one) for one in past(desk.ledger)[:RUNS]))
    sample = desk.sample(SAMPLE)
    yield from _titled(
        f"{len(sample)} writes that nobody has judged yet",
        writes(deployment, desk, sample, person, values=values),
    )
    yield from _titled(
        "Entries that wait for a person",
        waits.lines(waits.told(deployment, desk.ledger, 0, person, values=values)),
    )
    yield from _titled("Deliveries that are held", waits.held_lines(waits.held(desk.ledger)))
    folder = settings.deployments / deployment.label
    yield from _titled("Questions", questions.lines(questions.still_open(folder), folder))
    yield from _titled("Before it goes live", checklist.lines(going_live.points(settings, deployment)))


def overview(desk: Desk) -> Iterator[str]:
    """How many writes there are, by each of what may be asked for."""
    found = desk.lines()
    yield f"{len(found)} planned writes"
    for name, counts in counted(found).items():
        told = ", ".join(f"{value} {number}" for value, number in counts.most_common())
        if told:
            yield f"by {name}: {told}"


def writes(
    deployment: Deployment, desk: Desk, lines: Sequence[Line], person: str, *, values: bool
) -> Iterator[str]:
    """Writes field by field, each with its key, by which it is marked."""
    if values and lines:
        with desk.ledger.told_by(f"person {person}"):
            act = f"writes of {desk.ledger.name} reviewed with their values"
            acts.note_beside(desk.ledger, act, *(one.key for one in lines))
    opened, said = desk.opened([one.key for one in lines]), desk.marks()
    texts = {one.number: one.text for one in deployment.instructions.sentences}
    for line in lines:
        yield from _write(told(line, opened[line.key], said.get(line.key), texts, values=values))


def _write(one: Told) -> Iterator[str]:
    yield f"{one.who}: {one.line.operation}, {one.line.kind}: {one.state}; key {one.line.key}"
    for field in one.fields:
        change = f"{field.before} → {field.after}" if field.before and field.changes else field.after
        same = "" if field.changes else " (as it is)"
        yield f"  {field.name}: {change}{same} ← {field.source} by {' '.join(field.because)}"
    yield from (f"  {number}. {text}" for number, text in one.sentences)
    if one.mark:
        remark = f": {one.mark.remark}" if one.mark.remark else ""
        yield f"  marked {one.mark.verdict} by {one.mark.by}{remark}"


def _run(one: Past) -> str:
    counts = ", ".join(
        f"{one.counts[name]} {name.replace('_', ' ')}" for name in COUNTED if one.counts.get(name)
    )
    took = f" in {one.took.total_seconds():.1f} s" if one.took else ""
    return f"{one.started:%Y-%m-%d %H:%M} UTC: {one.kind} {one.state}{took}: {counts or 'nothing'}"


def _titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"== {title}"
    yield from lines
    yield ""
