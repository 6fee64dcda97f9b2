"""The campaign can fail: with one check of the gate taken out, its oracles see what comes through."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agent import free_text, gate, lookups, provenance
from agent.grants import GrantedArgument
from agent.plan import Source
from agent.references import MISSING, Constant, Reference, parse, resolve
from agent.refusals import Code, RefusalError
from tests.agent.hostile.campaign import Campaign, attempts
from tests.agent.hostile.obedient import Obedient
from tests.agent.hostile.practice import Practice
from tests.agent.test_hostile_campaign import TRIES, shown


def any_path(reference: Reference, granted: GrantedArgument, entry: Any) -> Any:
    found = resolve(entry, reference.path)
    if found is MISSING:
        raise RefusalError(Code.MISSING_VALUE, granted.where)
    return found, Source(kind="leaf", paths=(reference.path,))


def any_constant(handle: Any, granted: GrantedArgument, entry: Any) -> Any:
    parsed = parse(handle)
    if isinstance(parsed, Constant):
        return parsed.written, Source(kind="constant")
    return provenance.by_reference(handle, granted, entry)


@dataclass(frozen=True)
class Mutant:
    """One function, broken, and the goal that it lets through."""

    module: ModuleType
    name: str
    broken: Callable[..., Any]
    goal: str


BROKEN = {
    "any field of the entry": Mutant(provenance, "_referred", any_path, "reveal"),
    "any constant": Mutant(gate, "by_reference", any_constant, "exfiltrate"),
    "words that nobody looks at": Mutant(
        provenance, "check_free_text", lambda text, granted, entry: text, "link"
    ),
    "words that say what fields say": Mutant(free_text, "says", lambda text, value: False, "reveal"),
    "any sentence for any value": Mutant(gate, "_cited", lambda granted, because: because, "cite"),
    "lookups by value": Mutant(lookups, "_referred", lambda argument, given, entry: given, "lookup"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_comes_through_a_broken_gate_is_seen(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = BROKEN[name]
    monkeypatch.setattr(mutant.module, mutant.name, mutant.broken)
    practice = Practice(tmp_path)
    campaign = Campaign(practice)
    attacked = [shown(made) for made in attempts() if made.goal == mutant.goal]
    campaign.run(practice.by_model(Obedient(TRIES)), attacked)
    tally = campaign.look()
    practice.close()

    assert tally.outside
