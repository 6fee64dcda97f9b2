"""Patients whose names give orders, through the whole engine: the targets get the text and nothing else."""

from collections.abc import Callable, Iterator

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from tests.agent.hostile.phrases import GOALS
from tests.agent.hostile.strings import STRINGS
from tests.campaign import FULL
from tests.faults.scenes import awake, unplanned_effects
from tests.faults.world import Practice, Tally, tally

TEXTS = [string.says(GOALS[at % len(GOALS)]) for at, string in enumerate(STRINGS)][:: 1 if FULL else 7]


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(len(TEXTS), seed=11) as stand_in:
        yield stand_in


def test_names_that_give_orders_are_carried_as_they_are_and_nothing_else_happens(
    practice: Callable[[str], Practice],
) -> None:
    here = practice("practice")
    awake(here)
    named = {
        one: f"{text} {at}" for at, (one, text) in enumerate(zip(here.healthie.ids(), TEXTS, strict=True))
    }
    here.healthie.apply(
        [Edit(id=one, values={"last_name": name, "metadata": None}) for one, name in named.items()]
    )
    before = len(here.probe.effects())

    assert here.run() == 0
    assert tally(here, {one: [name] for one, name in named.items()}) == Tally([], [], [])
    assert here.rows().keys() == named.keys()
    assert unplanned_effects(here, before) == []
    assert {one.operation for one in here.probe.effects()[before:]} <= {
        "keyed_charge",
        "upsert_contact",
        "create_order",
        "send_event",
    }
    assert here.healthie.notes() == {}
    assert "evil" not in (here.folder / "engine.log").read_text()
