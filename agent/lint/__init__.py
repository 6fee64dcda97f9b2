"""Lint: what is wrong with the sentences themselves, found by reading them beside fields, grants and program.

No model is asked. A sentence is read by the words it uses, so this is a net and not a proof: what it finds is
worth a look, and what it does not find is not thereby right. What stands in quotes is a constant or a name
and is left alone; so is a sentence of judgement, where it asks for judgement.
"""

from agent.lint import contradictory, excessive, forbidden, impossible, unmeasurable, unreachable, vague
from agent.lint.subject import Finding, Kind, Subject

__all__ = ["Finding", "Kind", "Subject", "lint"]

RULES = (
    contradictory.contradictory,
    unreachable.unreachable,
    vague.vague,
    unmeasurable.unmeasurable,
    impossible.impossible,
    excessive.excessive,
    forbidden.forbidden,
)


def lint(subject: Subject) -> list[Finding]:
    """All findings, by sentence and kind, each once."""
    order = {number: at for at, number in enumerate(subject.instructions.numbers)}
    found = dict.fromkeys(finding for rule in RULES for finding in rule(subject))
    kinds = list(Kind)
    return sorted(found, key=lambda one: (order.get(one.sentence, 0), kinds.index(one.kind)))
