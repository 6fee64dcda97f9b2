"""The campaign's strings are what they say: many, different, and each understood by the one who obeys."""

from tests.agent.hostile.obedient import SOUGHT
from tests.agent.hostile.phrases import GOALS, LANGUAGES, PHRASES
from tests.agent.hostile.reader import goal_in
from tests.agent.hostile.strings import STRINGS
from tests.agent.hostile.ways import BY_REFERENCE


def test_there_are_as_many_strings_and_goals_as_were_asked_for() -> None:
    texts = {string.says(goal) for string in STRINGS for goal in GOALS}

    assert len(STRINGS) >= 351
    assert len(GOALS) >= 8
    assert len(texts) == len(STRINGS) * len(GOALS)
    assert all(tuple(PHRASES[goal]) == LANGUAGES for goal in GOALS)
    assert BY_REFERENCE.keys() == set(GOALS)


def test_the_obedient_one_understands_every_string() -> None:
    missed = [
        (string, goal) for string in STRINGS for goal in GOALS if goal_in(string.says(goal), SOUGHT) != goal
    ]

    assert missed == []
