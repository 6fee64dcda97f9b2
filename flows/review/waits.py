"""How what waits for a person is told: entries with what is asked of them, and held deliveries."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from agent.plan import Plan
from agent.visible import as_line, visible
from connectors.entry import leaves
from flows import acts
from flows.breaker import MEANING
from flows.declared import names
from flows.differing import masked, masked_path
from flows.ledger import holds, restored, waiting, words
from flows.ledger.store import Ledger
from flows.ledger.waiting import Waits
from flows.ledger.words import Word
from flows.review.acts import questions
from flows.tenants import Deployment

SHOWN = 20  # entries at a time
RESTORED = "would be sent from a ledger that was restored: decided as a whole, by ferry release"


@dataclass(frozen=True, slots=True)
class Told:
    """One entry, as words. fields: what it was decided on; about: what a sentence asks a person about."""

    ref: str
    who: str
    why: str
    sentences: tuple[tuple[str, str], ...]
    asks: str
    options: tuple[str, ...]
    about: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]
    word: Word | None
    decidable: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Deliveries that wait for one reason."""

    code: str
    number: int
    meaning: str
    decidable: bool


def told(deployment: Deployment, ledger: Ledger, start: int, person: str, *, values: bool) -> list[Told]:
    """Entries that wait. Whoever sees values is in the audit before they are read."""
    found = waiting.page(ledger, SHOWN, start)
    if values and found:
        with ledger.told_by(f"person {person}"):
            act = f"entries of {ledger.name} that wait looked at with their values"
            acts.note_beside(ledger, act, *(one.ref for one in found))
    said = words.of(ledger, [one.ref for one in found])
    asked = questions(deployment, found, said)
    texts = {one.number: one.text for one in deployment.instructions.sentences}
    told: list[Told] = []
    known = None if values else names(deployment)
    for one in found:
        question = asked.get(one.ref)
        entry = leaves(one.case.entry) if one.case else ()
        told.append(
            Told(
                ref=one.ref,
                who=f"patient {one.patient}" if values else f"entry {one.ref}",
                why=_why(one),
                sentences=tuple((number, texts.get(number, "not in this version")) for number in one.because),
                asks=question.question.question if question else "",
                options=question.question.options if question else (),
                about=_clear(question.about, known) if question else (),
                fields=_clear(tuple(entry), known),
                word=_word(said.get(one.ref), values=values),
                decidable=not one.aside,
            )
        )
    return told


def held(ledger: Ledger) -> list[Held]:
    """What is held, by what held it."""
    return [
        Held(
            code,
            number,
            RESTORED if code == restored.CODE else MEANING.get(code, code.replace("_", " ")),
            code != restored.CODE,
        )
        for code, number in holds.by_code(ledger).items()
    ]


def lines(ones: list[Told]) -> Iterator[str]:
    """Entries that wait, as text."""
    for one in ones:
        yield f"{one.who}: {one.why}; entry {one.ref}"
        yield from (f"  {number}. {text}" for number, text in one.sentences)
        yield from (f"  {path}: {value}" for path, value in one.fields)
        if one.asks:
            yield f"  asks: {one.asks} ({', '.join(one.options)})"
            yield from (f"    {path}: {value}" for path, value in one.about)
        if one.word:
            reason = f": {one.word.reason}" if one.word.reason else ""
            yield f"  {one.word.by} said {one.word.verdict}{reason}"


def held_lines(ones: list[Held]) -> Iterator[str]:
    yield from (f"{one.number} {one.code}: {one.meaning}" for one in ones)
    if ones:
        yield "each of them with its key: --state held"


def _why(one: Waits) -> str:
    code = f" ({one.code})" if one.code else ""
    if one.aside:
        return f"waits for its link{code}: put that right in the two systems"
    if isinstance(one.outcome, Plan):
        return f"a person must decide{code}"
    return f"was refused{code}"


def _word(word: Word | None, *, values: bool) -> Word | None:
    return word if word is None or values else Word(word.verdict, "", by=word.by, at=word.at)


def _clear(
    found: tuple[tuple[str, JsonValue], ...], known: Collection[str] | None
) -> tuple[tuple[str, str], ...]:
    """Paths with their values; without values, neither names that the source does not give."""
    if known is None:
        return tuple((visible(path), as_line(one)) for path, one in found)
    return tuple((masked_path(path, known), masked(one)) for path, one in found)
