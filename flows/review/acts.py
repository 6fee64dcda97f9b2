"""What people decide in review: entries that wait, and deliveries that are held.

Each act takes the integration's lease for a moment and is in the audit as that person's. Nothing is sent
here: the next run does.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from agent.case import Case
from agent.compiled import Program
from agent.host import Asked
from agent.open_judgement import asked
from agent.plan import Decision, Plan
from flows.declared import declared
from flows.errors import Spoken
from flows.ledger import entries, holds, lease, plans, waiting, words
from flows.ledger.plans import Decided, Versions
from flows.ledger.store import Ledger
from flows.ledger.waiting import Waits
from flows.ledger.words import Word
from flows.run import new_id, version_of
from flows.tenants import Deployment

LEFT = "left_by_a_person"
BY = "person"
PATIENCE = 5.0  # seconds that an act waits for the run that is going


class NotDecided(Spoken):
    """A person's word was not taken. One line."""


@contextmanager
def acting(ledger: Ledger, person: str) -> Generator[None]:
    """The lease, for an act of a person's. Raises LeaseHeld: a run is going, and it waits for that."""
    with ledger.told_by(f"person {person}"):
        lease.take(ledger, new_id(), PATIENCE)
        try:
            yield
        finally:
            lease.give_back(ledger)


def questions(deployment: Deployment, waits: Sequence[Waits], said: Mapping[str, Word]) -> dict[str, Asked]:
    """By pseudonym, what the program asks a person to judge of each entry that waits for that."""
    source = deployment.instructions.program
    if source is None or not deployment.instructions.judgement:
        return {}
    here, cases = version_of(deployment), dict[str, Case]()
    for one in waits:
        if one.case is not None and one.instructions == here:
            cases[one.ref] = replace(one.case, judged=_answers(one, said.get(one.ref)))
    if not cases:
        return {}
    program = Program(source, deployment.policy(), declared(deployment)[0])
    found = zip(cases, asked(program, list(cases.values())), strict=True)
    return {ref: question for ref, question in found if question is not None}


def leave(ledger: Ledger, ref: str, reason: str, person: str) -> None:
    """Nothing is written of this entry until it changes. Raises NotDecided, LeaseHeld."""
    one = _waits(ledger, ref, reason)
    with acting(ledger, person):
        known = entries.known(ledger, [one.patient])[one.patient]
        if known.version != one.version:
            raise NotDecided(f"entry {ref}: was decided anew meanwhile; look at it again")
        _said(ledger, one, Word("leave", reason, by=person))
        decision = Decision(outcome=Plan(kind="skip", because=one.because, reason=LEFT))
        decided = Decided(known, known.fingerprint, decision, by=BY, rest=known.rest)
        plans.journal(ledger, [decided], Versions(one.instructions, one.policy), {})


def again(ledger: Ledger, ref: str, reason: str, person: str) -> None:
    """The next run decides it anew, though it did not change. Raises NotDecided, LeaseHeld."""
    one = _waits(ledger, ref, reason)
    with acting(ledger, person):
        _said(ledger, one, Word("again", reason, by=person))


def answer(deployment: Deployment, ledger: Ledger, ref: str, option: str, reason: str, person: str) -> None:
    """What a sentence asks a person to judge of it is answered; the next run decides by that.

    Raises:
        NotDecided: nothing is asked of it, or not with this option. LeaseHeld.
    """
    one = _waits(ledger, ref, reason)
    before = words.of(ledger, [ref])
    question = questions(deployment, [one], before).get(ref)
    if question is None:
        raise NotDecided(f"entry {ref}: no sentence asks a person to judge it, or what it asks is not kept")
    if option not in question.question.options:
        there = ", ".join(question.question.options)
        raise NotDecided(f"entry {ref}: {question.question.sentence} has no such option; there are: {there}")
    answers = _answers(one, before.get(ref)) | {question.label: option}
    with acting(ledger, person):
        _said(ledger, one, Word("answer", reason, answers, by=person))


def settle(ledger: Ledger, keys: Sequence[str], person: str, *, go: bool) -> int:
    """Held deliveries are sent by the next run, or dropped. Returns how many were held. Raises LeaseHeld."""
    with acting(ledger, person):
        return holds.decide(ledger, keys, go=go)


def _waits(ledger: Ledger, ref: str, reason: str) -> Waits:
    if not reason.strip():
        raise NotDecided(f"entry {ref}: say why; a word without a reason is not taken")
    for one in waiting.of(ledger, [ref]):
        if one.aside:
            raise NotDecided(
                f"entry {ref}: waits for its link ({one.code}): put that right in the two systems"
            )
        return one
    raise NotDecided(f"entry {ref}: does not wait for a person")


def _answers(one: Waits, word: Word | None) -> dict[str, str]:
    """What was answered before of the entry as it is."""
    if word is None or (word.fingerprint, word.instructions) != (one.fingerprint, one.instructions):
        return {}
    return dict(word.answers)


def _said(ledger: Ledger, one: Waits, word: Word) -> None:
    about = replace(word, fingerprint=one.fingerprint, instructions=one.instructions)
    with ledger.writing("a person's word") as connection:
        words.put(ledger, connection, one.ref, about)
