"""A compiled program that obeys its entries, and an honest one that reads them: what each can do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.agent import Case
from agent.plan import Plan
from tests.agent.desk import TODAY
from tests.agent.hostile.campaign import (
    ANNA,
    HIDDEN,
    SHOWN,
    Attempt,
    Campaign,
    attempts,
    with_text,
)
from tests.agent.hostile.practice import Practice
from tests.agent.hostile.programs import HONEST, OBEDIENT
from tests.agent.hostile.ways import EVIL

PATHS = (*HIDDEN, *SHOWN)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    made = Practice(tmp_path)
    yield made
    made.close()


def attacked(made: Attempt) -> Case:
    entry = {**with_text(made.text, PATHS[made.at % len(PATHS)]), "id": f"p{made.at}"}
    return Case(f"p{made.at}", entry, {}, TODAY)


def test_a_program_that_obeys_its_entries_has_no_effect_outside_the_policy(practice: Practice) -> None:
    campaign = Campaign(practice)
    campaign.run(practice.by_program(OBEDIENT), [attacked(made) for made in attempts()])
    tally = campaign.look()

    assert tally.outside == []
    assert sum(tally.refused.values()) == tally.runs
    assert "program_error" not in tally.refused  # it ran: what was refused is what it wanted
    assert tally.neighbours_right == tally.neighbours > 0


def test_to_an_honest_program_every_text_is_data(practice: Practice) -> None:
    campaign = Campaign(practice)
    campaign.run(practice.by_program(HONEST), [attacked(made) for made in attempts()])
    tally = campaign.look()

    assert tally.outside == []
    assert tally.legitimate == tally.runs
    assert tally.neighbours_right == tally.neighbours > 0


def test_computed_lets_an_approved_program_write_what_it_likes_there_and_only_there(
    practice: Practice,
) -> None:
    """Why a person reads a program before it is approved, and why `computed` is granted rarely."""
    source = HONEST.replace('full_name=entry["last_name"]', f'full_name="{EVIL}"')
    [free] = practice.by_program(source, computed=True).decide([Case("p1", ANNA, {}, TODAY)])
    [held] = practice.by_program(source).decide([Case("p1", ANNA, {}, TODAY)])

    assert isinstance(free.outcome, Plan)
    assert free.outcome.calls[0].arguments["full_name"].source.kind == "computed"
    assert not isinstance(held.outcome, Plan)
