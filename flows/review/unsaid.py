"""What may not be said in an example: whatever names the patient of whose write it is made."""

import re
from collections.abc import Iterable, Iterator

from agent.golden import ExpectedPlan
from agent.naming import Leaf, Naming, texts_in
from agent.plan import Plan
from agent.policy import Policy
from agent.synthetic import Approved
from connectors.entry import Category, Entry, leaves, without_positions
from flows.ledger.kept import Again
from flows.ledger.written import Written
from flows.refine.words import IDENTIFYING
from flows.tenants import Deployment

ORDINARY = re.compile(r"\b[a-z]+")  # words with a capital may be names, and are none of the sentences' own


def naming(
    deployment: Deployment,
    approved: Approved,
    one: Written,
    found: Again,
    invented: Entry,
    plan: ExpectedPlan,
) -> Naming:
    """What names the patient of a write, by everything that is known of them; what is invented does not.

    Args:
        found: what the write was decided on.
        invented: the entry, and `plan` what is decided of it.
    """
    policy = deployment.policy()
    free = [*_texts(invented), *(text for call in plan.calls for text in texts_in(call.arguments))]
    free += [str(plan.again_on)] if plan.again_on else []
    arguments = (name for grant in policy.operations.values() for name in grant.arguments)
    words = " ".join(ORDINARY.findall(deployment.instructions.text))
    ordinary = [*approved.texts, *approved.names, *arguments, words]
    return Naming(_known(policy, approved, one, found), free, ordinary)


def objection(naming: Naming, text: str, *, sentence: bool) -> str:
    """Why a text may not be said, in words that do not quote it; "" if it may be. sentence: it is prose."""
    if naming.is_in(text, sentence=sentence):
        return "a word of the patient's own entry is in what you wrote; say it by the invented one"
    for what, pattern in IDENTIFYING.items():
        if not all(naming.allows(match[0]) for match in pattern.finditer(text)):
            return f"what you wrote holds {what}; say it without, or by the invented entry"
    return ""


def _known(policy: Policy, approved: Approved, one: Written, found: Again) -> Iterator[Leaf]:
    """The patient's ids, the entry, answers of lookups, what the target held, and what was made of it all."""
    yield from ((None, id_) for id_ in (one.patient, one.bound))
    if found.case is not None:
        for path, value in leaves(found.case.entry):
            yield approved.category(without_positions(path)), value
            yield from ((Category.CUSTOM, name) for name in _own_names(path, approved))
        yield from ((None, value) for _, value in leaves(found.case.known))
    granted = policy.operations[one.operation].arguments
    for name, value in (one.before or {}).items():
        yield _kind(granted[name].sources if name in granted else (), approved), value
    for call in found.outcome.calls if isinstance(found.outcome, Plan) else ():
        for made in call.arguments.values():
            if made.source.kind != "constant":
                yield _kind(made.source.paths, approved), made.value


def _kind(paths: Iterable[str], approved: Approved) -> Category | None:
    """What kind of data is made of these fields: somebody's identity as soon as one of them is."""
    kinds = [approved.category(without_positions(path)) for path in paths]
    return Category.IDENTITY if Category.IDENTITY in kinds else next(iter(kinds), None)


def _own_names(path: str, approved: Approved) -> list[str]:
    """The names on a path that the entry gave itself."""
    names = (part for part in path.split(".") if part not in approved.names)
    return [name for name in names if not approved.is_word(name)]


def _texts(entry: Entry) -> list[str]:
    return [text for value in entry.values() for text in texts_in(value)]
