"""The work of refining, step by step: sentences, then candidates and examples, then what they show.

Nothing is read or written here but what is handed in; flows/refine/ brings the files and the entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agent.agent import Case
from agent.coverage import unshown
from agent.golden import Golden
from agent.plan import Refused, Sentences
from agent.refine import candidates, counting, examples, telling
from agent.refine.asking import Refiner, RefiningFailed, Request
from agent.refine.candidates import Desk
from agent.refine.draft import (
    DraftedExamples,
    DraftedProgram,
    DraftedSentences,
)
from agent.refine.numbers import in_order
from agent.refine.questions import DIFFERENCE, Question
from agent.refine.sentences import DraftProblems, Settled, settled
from agent.refine.telling import Words

VARIETY = 0.7  # temperature of the candidates: equal ones would show nothing


@dataclass(frozen=True, slots=True)
class Drafts:
    """What the model drafted of the sentences, as far as it holds."""

    programs: tuple[str, ...]
    dropped: tuple[str, ...]  # a line for each candidate that does not hold
    examples: tuple[Golden, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of the drafts. `asked`: questions, each with the number that it claims to keep."""

    program: str | None
    chosen: int  # the candidate's number, from 1; 0 without one
    golden: tuple[Golden, ...]
    unreached: Sentences  # that no example cites
    missed: tuple[str, ...]  # a line for each branch of the program that no example takes
    asked: tuple[tuple[Question, str | None], ...]
    refused: Mapping[str, int]  # entries that the program's plan was refused for, by code


def draft_sentences(refiner: Refiner, words: Words, head: str) -> Settled:
    """The sentences, their fields and the questions.

    Raises:
        RefiningFailed: the model gives none that hold.
    """
    last: list[Settled] = []

    def problems(draft: DraftedSentences) -> Sequence[str]:
        try:
            found = settled(
                draft, before=words.sentences, words=words.quotable(), fields=words.fields, head=head
            )
        except DraftProblems as wrong:
            return wrong.lines
        last.append(found)
        return ()

    told = telling.sentences_told(words)
    refiner.ask(Request(telling.SENTENCES, told, DraftedSentences, problems))
    return last[-1]


def draft_programs(
    refiner: Refiner, words: Words, desk: Desk, invented: Sequence[Golden], number: int
) -> tuple[list[str], list[str]]:
    """Programs that hold, and a line for each candidate that does not: types, citations, the gate.

    Args:
        invented: examples that each candidate is run on; of what they expect it is told nothing.
    """

    def problems(draft: DraftedProgram) -> Sequence[str]:
        source = _ended(draft.source)
        return desk.problems(source) or _refused(desk, source, invented)

    requests = [
        Request(
            telling.PROGRAM,
            telling.program_told(words, desk.instructions, desk.fields, at, number),
            DraftedProgram,
            problems,
            VARIETY,
        )
        for at in range(1, number + 1)
    ]
    programs: list[str] = []
    dropped: list[str] = []
    for at, answer in enumerate(refiner.ask_each(requests), start=1):
        if isinstance(answer, RefiningFailed):
            dropped.append(f"candidate {at}: {answer}")
        else:
            programs.append(_ended(answer.source))
    return programs, dropped


def _refused(desk: Desk, source: str, invented: Sequence[Golden]) -> list[str]:
    """A line for each example, all of them invented, that the program fails on or is refused for."""
    outcomes = desk.outcomes(source, [examples.case(golden) for golden in invented])
    return [
        f"on the example {golden.shows!r} it is refused: {outcome.code} {outcome.where}".rstrip()
        for golden, outcome in zip(invented, outcomes, strict=True)
        if isinstance(outcome, Refused)
    ]


def draft_examples(refiner: Refiner, words: Words, desk: Desk) -> list[Golden]:
    """Examples that hold. All sentences are asked for; what stays out is to be told.

    Raises:
        RefiningFailed: the model gives none that hold.
    """
    held: list[list[Golden]] = []

    def problems(draft: DraftedExamples) -> Sequence[str]:
        found, wrong = examples.read(draft, desk.manifest, desk.policy)
        if wrong:
            return wrong
        held.append(found)
        missing = unshown(desk.instructions.numbers, found)
        return [f"no example's plan cites {number}; add one" for number in missing]

    told = telling.examples_told(words, desk.instructions, desk.manifest, desk.fields)
    try:
        refiner.ask(Request(telling.EXAMPLES, told, DraftedExamples, problems))
    except RefiningFailed:
        if not held:
            raise
    return max(held, key=lambda found: -len(unshown(desk.instructions.numbers, found)))


def show(
    drafts: Drafts,
    desk: Desk,
    asked: Sequence[tuple[Question, str | None]],
    cases: Sequence[Case],
    patients: str,
) -> Shown:
    """Run the drafts over the examples and these entries, compare, count.

    Args:
        patients: how the entries are told of: "the 500 patients that were looked at".
    """
    counted = _counted(asked, cases, patients)
    if not drafts.programs:
        missing = unshown(desk.instructions.numbers, drafts.examples)
        return Shown(None, 0, drafts.examples, missing, (), tuple(counted), {})
    invented = [examples.case(golden) for golden in drafts.examples]
    outcomes = [desk.outcomes(source, [*invented, *cases]) for source in drafts.programs]
    ours = range(len(invented))
    theirs = range(len(invented), len(invented) + len(cases))
    met = [examples.met(drafts.examples, one[: len(invented)]) for one in outcomes]
    at = candidates.chosen(outcomes, met)
    judged = examples.judged(drafts.examples, outcomes[at][: len(invented)])
    real = candidates.differing(outcomes, theirs).questions(desk.speak)
    shown = candidates.differing(outcomes, ours).questions(desk.speak)
    new = _disagreements(real, shown, len(ours), patients)
    new += [_contradicted(golden, names) for golden, names in judged.others]
    return Shown(
        program=drafts.programs[at],
        chosen=at + 1,
        golden=judged.kept,
        unreached=unshown(desk.instructions.numbers, judged.kept),
        missed=desk.missed(drafts.programs[at], judged.kept),
        asked=(*counted, *((question, None) for question in new)),
        refused=candidates.codes(outcomes[at][one] for one in theirs),
    )


def completed(refiner: Refiner, words: Words, desk: Desk, shown: Shown) -> Shown:
    """With examples for the branches of the program that no example took; what stays missed is to be told."""
    if shown.program is None or not shown.missed:
        return shown
    present = {examples.name(golden) for golden in shown.golden}
    held: list[list[Golden]] = []

    def problems(draft: DraftedExamples) -> Sequence[str]:
        found, wrong = examples.read(draft, desk.manifest, desk.policy)
        if not wrong:
            held.append([golden for golden in found if examples.name(golden) not in present])
        return wrong

    told = telling.examples_told(words, desk.instructions, desk.manifest, desk.fields, shown.missed)
    answer = refiner.ask_each([Request(telling.EXAMPLES, told, DraftedExamples, problems)])
    if not held or isinstance(answer[0], RefiningFailed):
        return shown
    outcomes = desk.outcomes(shown.program, [examples.case(golden) for golden in held[-1]])
    judged = examples.judged(held[-1], outcomes)
    golden = (*shown.golden, *judged.kept)
    new = ((_contradicted(one, names), None) for one, names in judged.others)
    return replace(
        shown,
        golden=golden,
        unreached=unshown(desk.instructions.numbers, golden),
        missed=desk.missed(shown.program, golden),
        asked=(*shown.asked, *new),
    )


def _counted(
    asked: Sequence[tuple[Question, str | None]], cases: Sequence[Case], patients: str
) -> list[tuple[Question, str | None]]:
    wanted = [question.counting for question, _ in asked if question.counting]
    counts = iter(counting.count(wanted, cases)) if cases else iter(())
    found: list[tuple[Question, str | None]] = []
    for question, claim in asked:
        count = next(counts, None) if question.counting else None
        if count is not None:
            failed = f"; of {count.failed} it could not be told" if count.failed else ""
            told = f"{count.holds} of {patients}{failed}."
            found.append((question.model_copy(update={"count": told}), claim))
        else:
            found.append((question, claim))
    return found


def _disagreements(
    real: Sequence[tuple[Question, int]], invented: Sequence[tuple[Question, int]], of: int, patients: str
) -> list[Question]:
    """One question for each place, told by the real entries where they show it."""
    told = [_with(question, f"{number} of {patients}.") for question, number in real]
    met = {question.asks for question in told}
    return told + [
        _with(question, f"{number} of {of} invented examples.")
        for question, number in invented
        if question.asks not in met
    ]


def _with(question: Question, count: str) -> Question:
    return question.model_copy(update={"count": count})


def _contradicted(golden: Golden, names: Sequence[str]) -> Question:
    """The sentences were read in two ways: by the program and by who made the example."""
    told = ", ".join(f"`{name}`" if "." in name else name for name in names)
    return Question(
        asks=f"An example ({golden.shows}) and the program differ in {told}: which is meant?",
        about=tuple(in_order(golden.plan.cited)),
        kind=DIFFERENCE,
        options=("as the program does it", "as the example expects it"),
    )


def _ended(source: str) -> str:
    return source.replace("\r\n", "\n").strip("\n") + "\n"
