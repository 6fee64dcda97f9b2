"""Refine: a practice's words become drafts of its files, with a model that sees no entry.

What the model drafted is checked, run over entries where the source answers, and compared. Of the entries
only counts are left, in questions.md, and those are told to no model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.manifest import Manifest
from agent.refine import work
from agent.refine.asking import Refiner, RefiningFailed
from agent.refine.candidates import Desk, gate_problem
from agent.refine.questions import ANSWERS_FILE, Question, merged
from agent.refine.sentences import Settled
from agent.refine.work import Drafts, Shown
from flows.check import check, offers
from flows.refine import files
from flows.refine.entries import sample
from flows.refine.files import Draft
from flows.refine.scene import Scene, scene
from flows.refine.terms import terms
from flows.refine.words import RefineInvalid
from flows.settings import Settings

__all__ = ["Asked", "RefineInvalid", "refine"]


@dataclass(frozen=True, slots=True)
class Asked:
    """How to refine: with which model, reached how; "" is as it was drafted last, or as it decides."""

    by: str = ""
    connection: str = ""
    candidates: int = 3
    entries: int = 500  # of the source, at most, that drafts are tried on


def refine(settings: Settings, label: str, asked: Asked) -> Iterator[str]:
    """Draft an integration's files. Gives a line for each thing that was done or is to be done.

    Nothing is written before everything is drafted.

    Raises:
        IntegrationInvalid, InstructionsError, RefineInvalid: a file cannot be used, or the model gives
            nothing that holds.
    """
    start = scene(settings.deployments, label)
    asked = _completed(start, asked)
    try:
        with terms(settings, start, asked.by, asked.connection) as agreed:
            yield from _refined(settings, start, Refiner(asked.by, agreed), asked)
    except RefiningFailed as failed:
        raise RefineInvalid(f"{label}: {failed}; nothing was written") from None


def _refined(settings: Settings, start: Scene, refiner: Refiner, asked: Asked) -> Iterator[str]:
    found = work.draft_sentences(refiner, start.words, start.head)
    yield _numbers_told(start, found)
    desk = _desk(start, found)
    drafts = _drafts(refiner, start, desk, asked.candidates)
    yield from drafts.dropped
    tried = sample(settings, start, found.instructions, _read(found), asked.entries)
    yield f"tried on {tried.told}" if tried.cases else f"tried on no entries: {tried.why}"
    shown = work.show(drafts, desk, found.questions, tried.cases, tried.told)
    shown = work.completed(refiner, start.words, desk, shown)
    yield _spent_told(refiner)
    yield from _shown_told(shown, drafts, desk)
    yield from _asked_again(start, shown)
    questions = merged(start.words.questions, shown.asked, start.words.answers)
    draft = Draft(
        by=asked.by,
        connection=asked.connection,
        instructions=found.instructions,
        manifest=found.manifest,
        questions=questions,
        program=shown.program,
        golden=shown.golden,
    )
    yield from files.write(start.folder, draft)
    yield from _to_do(settings, start, desk, questions)


def _completed(start: Scene, asked: Asked) -> Asked:
    """With the model that drafted last, or else the one that decides."""
    last, decide = files.record(start.folder), start.integration.decide
    by, connection = asked.by, asked.connection
    if not by and last.by:
        by, connection = last.by, connection or last.connection
    elif not by and decide.by != "program":
        by, connection = decide.by, connection or decide.connection or ""
    if not by:
        raise RefineInvalid(f"{start.label}: no model is named to draft with; name one with --model")
    if connection and connection not in start.tenant.connections:
        raise RefineInvalid(f"{start.label}: connection {connection} is not in tenant.yaml; add it there")
    return Asked(by, connection, asked.candidates, asked.entries)


def _desk(start: Scene, found: Settled) -> Desk:
    desk = Desk(
        instructions=found.instructions,
        manifest=found.manifest,
        policy=start.policy(found.instructions),
        writes=start.words.writes,
        fields=tuple(start.fields[path] for path in found.manifest.paths),
        category=offers.categories(start.fields),
    )
    if problem := gate_problem(desk):
        raise RefineInvalid(f"{start.label}: integration.yaml: {problem.removeprefix('policy: ')}")
    return desk


def _drafts(refiner: Refiner, start: Scene, desk: Desk, number: int) -> Drafts:
    """Where a model decides, there is no program to draft."""
    examples = work.draft_examples(refiner, start.words, desk)
    if start.integration.decide.by != "program":
        return Drafts((), (), tuple(examples))
    programs, dropped = work.draft_programs(refiner, start.words, desk, examples, number)
    return Drafts(tuple(programs), tuple(dropped), tuple(examples))


def _read(found: Settled) -> Manifest:
    """What is read to try the drafts: what the sentences need, and what is counted."""
    counted = [path for one, _ in found.questions if one.counting for path in one.counting.fields]
    return Manifest({**found.manifest.root, "counted": tuple(counted)})


def _numbers_told(start: Scene, found: Settled) -> str:
    before = {one.number: one.text for one in start.words.sentences if not one.retired}
    now = {one.number: one.text for one in found.instructions.sentences if not one.retired}
    same = sum(now.get(number) == text for number, text in before.items())
    reworded = len(before.keys() & now.keys()) - same
    return (
        f"{len(now)} sentences: {same} as they were, {reworded} reworded, "
        f"{len(now.keys() - before.keys())} new, {len(before.keys() - now.keys())} retired"
    )


def _spent_told(refiner: Refiner) -> str:
    spent = refiner.spent
    tokens = f"{spent.input_tokens} tokens in, {spent.output_tokens} out"
    return f"the model was asked {spent.requests} times: {tokens}"


def _asked_again(start: Scene, shown: Shown) -> Iterator[str]:
    """What was answered, and is open all the same: the answer did not settle it."""
    answered = {one.asks: one.number for one in start.words.questions if one.number in start.words.answers}
    for question, _ in shown.asked:
        if question.asks in answered:
            number = answered[question.asks]
            yield f"{number} was answered and is open all the same; look whether the draft follows"


def _shown_told(shown: Shown, drafts: Drafts, desk: Desk) -> Iterator[str]:
    if shown.program is not None:
        yield f"program: candidate {shown.chosen} of {len(drafts.programs)} that hold is kept"
    elif drafts.dropped:
        yield "program: no candidate holds; program.py is left as it is"
    for code, number in shown.refused.items():
        yield f"program: refused for {number} of the entries ({code})"
    agree = "agree with the program" if shown.program is not None else "are kept"
    yield f"golden: {len(shown.golden)} examples {agree}"
    for sentence in shown.unreached:
        yield f"golden: no example reaches {sentence}"
    for branch in shown.missed:
        yield f"golden: no example takes a branch: {branch}"


def _to_do(settings: Settings, start: Scene, desk: Desk, questions: Sequence[Question]) -> Iterator[str]:
    open_ = [question.number for question in questions if question.state == "open"]
    if open_:
        yield f"to do: answer {', '.join(open_)} in {start.label}/{ANSWERS_FILE}, then refine again"
    for operation, grant in start.integration.grants().items():
        for argument, one in grant.arguments.items():
            speak = desk.speak(f"{operation}.{argument}")
            if speak and not one.because:
                yield f"to do: integration.yaml: {operation}.{argument}: because: [{', '.join(speak)}]"
    for finding in check(settings.deployments, [start.folder.parent.name], production=False):
        if finding.path.parent == start.folder:
            yield f"to do: {finding}"
