"""Examples out of review: a write that is wrong becomes a golden example, made synthetic, and a question.

Nothing of the patient is in either: the entry is invented and decided as the real one was, and what the
reviewer says is held against the real one before anything is written.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from agent.access import PROGRAM
from agent.agent import Decider
from agent.case import Case
from agent.compiled import Program
from agent.golden import FOLDER, ExpectedCall, ExpectedPlan, Golden
from agent.naming import Naming, texts_in
from agent.plan import Plan, Refused
from agent.policy import Policy
from agent.refine.questions import REVIEW, Question
from agent.synthetic import Approved, synthetic, texts_of
from connectors.entry import leaves, projected
from flows import acts, approval, golden, proving
from flows.declared import declared, fields
from flows.errors import Spoken
from flows.ledger import kept, written
from flows.ledger.store import Ledger
from flows.refine import files
from flows.review import unsaid
from flows.settings import Settings
from flows.tenants import Deployment

QUOTED = re.compile(r'["“`]([^"“”`\n]{1,80})["”`]')
CODE_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
UNSENT = "Cc"  # the category of characters that a form sends as others, or not at all
MEANT = ("as it is decided now", "as the example expects it")


class NotAnExample(Spoken):
    """No example is made of a write. One line."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An invented entry that is decided as the real one, and what is decided of it now."""

    key: str  # of the delivery that was judged
    case: Case
    plan: ExpectedPlan
    at: int  # the judged call of the plan
    granted: tuple[str, ...]  # arguments that the judged call may set
    naming: Naming  # what may not be said

    @property
    def call(self) -> ExpectedCall:
        return self.plan.calls[self.at]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reviewer says of it. values: of the judged call, as text, what is to be another one than it is;
    an argument with none is not to be set.

    shows: what the example shows. because and reason: of a skip or a review.
    """

    shows: str
    kind: Literal["write", "skip", "review"] = "write"
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    because: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: the example's file, and the number of its question."""

    path: Path
    question: str


def proposed(deployment: Deployment, ledger: Ledger, key: str) -> Proposal:
    """An example to be made of a delivery's write.

    Raises:
        NotAnExample: it cannot be made; what to do instead.
    """
    if deployment.integration.decide.by != PROGRAM:
        raise NotAnExample(
            f"{deployment.label}: a model decides, and is not asked about invented entries; write the "
            f"example by hand, into {FOLDER}/"
        )
    ones = written.of_keys(ledger, [key])
    found = kept.of_plan(ledger, f"{ones[0].entry}.{ones[0].version}") if ones else None
    if found is None or found.case is None:
        raise NotAnExample(f"{deployment.label}: what that was decided on is not kept (keep_entries)")
    policy, approved = deployment.policy(), approved_of(deployment)
    with closing(proving.decider_for(deployment, {}, PROGRAM, None)) as decider:
        real = replace(found.case, entry=projected(found.case.entry, deployment.manifest.paths))
        made = synthetic(real, approved, lambda cases: _outcomes(decider, cases), key)
        outcome = _outcomes(decider, [made])[0] if made else None
    operations = [call.operation for call in outcome.calls] if isinstance(outcome, Plan) else []
    if made is None or not isinstance(outcome, Plan) or ones[0].operation not in operations:
        raise NotAnExample(
            f"{deployment.label}: no invented entry was found that is decided as this one; write the example "
            f"by hand, into {FOLDER}/"
        )
    assert set(operations) <= policy.operations.keys()
    plan, at = ExpectedPlan.of(outcome), operations.index(ones[0].operation)
    naming = unsaid.naming(deployment, approved, ones[0], found, made.entry, plan)
    return Proposal(key, made, plan, at, tuple(policy.operations[operations[at]].arguments), naming)


def expected(proposal: Proposal, wanted: Wanted) -> ExpectedPlan:
    """The plan that a reviewer expects of the invented entry.

    Raises:
        NotAnExample: it is what is decided already, or what is said may name the patient.
    """
    _check_said(proposal, wanted)
    if wanted.kind == "write":
        arguments = dict(proposal.call.arguments) | {name: read(said) for name, said in wanted.values.items()}
        unset = {name for name, said in wanted.values.items() if not said}
        arguments = {name: arguments[name] for name in proposal.granted if name in arguments.keys() - unset}
        call = proposal.call.model_copy(update={"arguments": arguments})
        calls = (*proposal.plan.calls[: proposal.at], call, *proposal.plan.calls[proposal.at + 1 :])
        plan = proposal.plan.model_copy(update={"calls": calls})
    else:
        if not CODE_WORD.fullmatch(wanted.reason) or not wanted.because:
            raise NotAnExample(
                "say which sentences say so, and the reason as one code word, such as no_consent"
            )
        plan = ExpectedPlan(kind=wanted.kind, because=wanted.because, reason=wanted.reason)
    if plan == proposal.plan:
        raise NotAnExample("that is what is decided already; say what is to become of it instead")
    return plan


def _check_said(proposal: Proposal, wanted: Wanted) -> None:
    if not wanted.values.keys() <= set(proposal.granted):
        granted = ", ".join(proposal.granted)
        raise NotAnExample(f"what you set is no field of {proposal.call.op}; it has {granted}")
    values = [text for said in wanted.values.values() for text in texts_in(read(said))]
    for sentence, texts in ((True, (wanted.shows, wanted.reason)), (False, values)):
        for one in texts:
            if why := unsaid.objection(proposal.naming, one, sentence=sentence):
                raise NotAnExample(why)


def keep(settings: Settings, deployment: Deployment, proposal: Proposal, wanted: Wanted, person: str) -> Made:
    """Write the example beside the others, and the question for refine.

    Raises:
        NotAnExample: nothing was written.
    """
    plan, shows = expected(proposal, wanted), " ".join(wanted.shows.split())
    if unknown := sorted(set(plan.cited).difference(deployment.instructions.numbers)):
        raise NotAnExample(f"{unknown[0]} is no sentence of the instructions")
    folder, name = _folder(settings, deployment), _name(shows)
    path = folder / FOLDER / f"{name}.yaml"
    if not shows or path.exists():
        raise NotAnExample("say in a few words what it shows, and what no other example shows yet")
    case = proposal.case
    example = Golden(
        shows=shows, today=case.today, entry=dict(case.entry), judgements=dict(case.judged), plan=plan
    )
    act = f"a write of {deployment.name} became a golden example, by {person}"
    acts.note(settings, deployment.tenant, act, proposal.key)
    golden.write(folder, {name: example})
    return Made(path, files.ask(settings.deployments / deployment.label, _question(proposal, shows)))


def leaves_of(proposal: Proposal) -> list[tuple[str, str]]:
    """The invented entry, value by value."""
    return [(path, text(value)) for path, value in leaves(proposal.case.entry)]


def values_of(proposal: Proposal) -> dict[str, str]:
    """What is decided now, argument by argument as a person may write it; "" is not set."""
    there = proposal.call.arguments
    return {name: text(there[name]) if name in there else "" for name in proposal.granted}


def text(value: JsonValue) -> str:
    """A value as a person may write it: text as it is, unless it would be read or sent as something else."""
    plain = isinstance(value, str) and value and read(value) == value
    written = str(value) if plain else json.dumps(value, ensure_ascii=False)
    sent = all(c == "\n" or unicodedata.category(c) != UNSENT for c in written)
    return written if sent else json.dumps(value)


def read(said: str) -> JsonValue:
    """The value that a person wrote: JSON if it is some that a file may hold, else the text."""
    try:
        value: JsonValue = json.loads(said)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return said
    return value


def _outcomes(decider: Decider, cases: Sequence[Case]) -> list[Plan | Refused]:
    return [one.outcome for one in decider.decide(cases)]


def approved_of(deployment: Deployment) -> Approved:
    """What tells the rules' own words from an entry's values."""
    policy, instructions = deployment.policy(), deployment.instructions
    program = Program(instructions.program or "", policy, declared(deployment)[0])
    texts = texts_of(
        program.texts, instructions.reasons, QUOTED.findall(instructions.text), _constants(policy)
    )
    return Approved(fields(deployment), deployment.manifest.paths, texts)


def _constants(policy: Policy) -> Iterable[str]:
    for operation in policy.operations.values():
        for grant in operation.arguments.values():
            yield from (text for one in grant.constants for text in texts_in(one))


def _folder(settings: Settings, deployment: Deployment) -> Path:
    """Where examples go: beside the version that is to come, where the present one is approved."""
    folder, shadow = settings.deployments / deployment.label, deployment.integration.shadow
    if not (folder / approval.FILE).exists():
        return folder
    if shadow and (folder / shadow.version).is_dir():
        return folder / shadow.version
    raise NotAnExample(
        f"{deployment.label}: is approved as it is, and one example more would end that; begin the next "
        "version in a folder beside it, and name it in integration.yaml (shadow)"
    )


def _name(shows: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", shows.casefold()).strip("-")
    return f"review-{words}"[:70].strip("-")


def _question(proposal: Proposal, shows: str) -> Question:
    return Question(
        asks=f"A reviewer found `{proposal.call.op}` wrong, and an example ({shows}) says what is expected: "
        "which is meant?",
        about=proposal.call.because,
        kind=REVIEW,
        options=MEANT,
    )
