"""kill -9 at every crash point of a run: nothing is lost, nothing doubled, every blind doubt is listed."""

import itertools
import signal
from collections.abc import Callable

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.campaign import FULL
from tests.faults.conftest import BOTH
from tests.faults.world import Practice, Tally, tally

PATIENTS = 4
_words = itertools.count(1)  # nobody had such a name before: targets are shared by trials
POINTS_AT_MOST = 200

Make = Callable[[str], Practice]


def rename(practice: Practice, word: str) -> dict[str, list[str]]:
    """Give every patient another last name. What has to arrive of it, by patient."""
    patients, number = practice.healthie.ids(), next(_words)
    names = {one: f"{word}{number}n{at}" for at, one in enumerate(patients)}
    practice.healthie.apply([Edit(act="restore", id=one) for one in patients[PATIENTS:]])
    practice.healthie.apply([Edit(act="archive", id=one) for one in patients[PATIENTS:]])
    practice.healthie.apply([Edit(id=one, values={"last_name": name}) for one, name in names.items()])
    return {one: [name] for one, name in names.items() if one in patients[:PATIENTS]}


@BOTH
@pytest.mark.timeout(1500)
def test_a_first_run_killed_anywhere_is_finished_by_the_next(
    practice: Make, request: pytest.FixtureRequest
) -> None:
    step = 1 if FULL or request.node.callspec.params["ledger"] == "sqlite" else 9
    killed = 0
    for point in range(1, POINTS_AT_MOST, step):
        here = practice(f"p{point}")
        expected = rename(here, f"First{point}x")
        code = here.run(FERRY_CRASH_AT=str(point), FERRY_CRASH_LOG=str(here.folder / "points"))
        if code != -signal.SIGKILL:
            assert code == 0
            break
        killed += 1
        here.until_settled()

        assert tally(here, expected) == Tally([], [], []), (point, (here.folder / "points").read_text())

    assert killed >= 40 // step


@pytest.mark.timeout(1500)
def test_a_later_run_killed_anywhere_is_finished_by_the_next(practice: Make) -> None:
    here = practice("later")
    rename(here, "Before")
    assert here.run() == 0
    killed = 0
    for point in range(1, POINTS_AT_MOST, 1 if FULL else 7):
        expected = rename(here, f"Later{point}x")
        code = here.run(FERRY_CRASH_AT=str(point))
        if code != -signal.SIGKILL:
            break
        killed += 1
        here.until_settled()

        assert tally(here, expected) == Tally([], [], []), point

    assert killed >= (40 if FULL else 6)
