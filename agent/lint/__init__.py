"""Lint: what is wrong with the sentences themselves, found by reading them beside fields, grants and program.

No model is asked. A sentence is read by the words it uses, so this is a net and not a proof: what it finds is
worth a look, and what it does not find is not thereby right. What stands in quotes is a constant or a name
and is left alone; so is a sentence of judgement, where it asks for judgement.
"""

from agent.lint.contradictory import contradictory
from agent.lint.excessive import excessive
from agent.lint.forbidden import forbidden
from agent.lint.impossible import impossible
from agent.lint.subject import Finding, Kind, Subject
from agent.lint.unmeasurable import unmeasurable
from agent.lint.unreachable import unreachable
from agent.lint.vague import vague

__all__ = ["Finding", "Kind", "Subject", "lint"]

RULES = (contradictory, unreachable, vague, unmeasurable, impossible, excessive, forbidden)


def lint(subject: Subject) -> list[Finding]:
    """All findings, by sentence and kind, each once."""
    order = {number: at for at, number in enumerate(subject.instructions.numbers)}
    found = dict.fromkeys(finding for rule in RULES for finding in rule(subject))
    kinds = list(Kind)
    return sorted(found, key=lambda one: (order.get(one.sentence, 0), kinds.index(one.kind)))
