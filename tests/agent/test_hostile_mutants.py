"""The campaign can fail: with one check of the gate taken out, its oracles see what comes through."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agent import free_text, gate, lookups, provenance
from agent.grants import GrantedArgument
from tests.agent.hostile.campaign import Campaign, attempts
from tests.agent.hostile.obedient import Obedient
from tests.agent.hostile.practice import CATEGORIES, Practice
from tests.agent.test_hostile_campaign import TRIES, shown

EVERYWHERE = (*CATEGORIES, "middle_name", "suffix")


class Anything(dict[str, Any]):
    """Constants among which there is whatever is asked for."""

    def __contains__(self, written: object) -> bool:
        return True

    def __missing__(self, written: str) -> str:
        return written


def any_path(reference: Any, granted: GrantedArgument, *rest: Any) -> Any:
    return REFERRED(reference, replace(granted, sources=EVERYWHERE), *rest)


def any_constant(handle: Any, granted: GrantedArgument, *rest: Any) -> Any:
    return provenance.by_reference(handle, replace(granted, constants=Anything()), *rest)


REFERRED = provenance._referred


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
    "words that nobody looks at": Mutant(provenance, "check_free_text", lambda text, *rest: text, "link"),
    "words that say what fields say": Mutant(free_text, "says", lambda text, value: False, "reveal"),
    "any sentence for any value": Mutant(gate, "_cited", lambda granted, because: because, "cite"),
    "lookups by value": Mutant(lookups, "_referred", lambda argument, given, *rest: given, "lookup"),
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
