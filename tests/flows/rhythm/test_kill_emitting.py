"""kill -9 at every crash point of the run that delivers a month: at most once a month, and nothing lost."""

import signal
import time
from datetime import date, timedelta

import pytest

from flows.emit import week_of
from tests.faults.conftest import FULL
from tests.flows.rhythm.conftest import Monthly

SIX = 6  # patients
POINTS_AT_MOST = 200
STEP = 1 if FULL else 12
FRIDAY = 4
ONCE = ("keyed_charge", "create_order", "send_event")


def last_friday(point: int) -> date:
    """Each crash point has a month of its own."""
    return week_of("last-week-of-month", FRIDAY, 2026 + point // 12, point % 12 + 1).begins


def run_until_settled(monthly: Monthly, day: date) -> None:
    codes: list[int] = []
    while not codes or (codes[-1] == 3 and codes[-2:] != [3, 3]):  # a listed doubt stays
        time.sleep(0.6 if codes else 0)  # the probe's horizon: orders in doubt may be looked for
        codes.append(monthly.friday(f"{day}"))
    assert codes[-1] in (0, 3)


def times(monthly: Monthly, *words: str) -> dict[str, int]:
    """How many patients each operation reached with one of these names; more than once counts again."""
    effects = monthly.left()
    return {
        one: sum(name in words for _, name in effects.get(one, set())) for one in (*ONCE, "upsert_contact")
    }


def listed(monthly: Monthly) -> int:
    """How many events did not arrive and are listed as doubtful."""
    return len(monthly.practice.doubtful() - {one.key for one in monthly.practice.probe.effects()})


@pytest.mark.timeout(3000)
def test_a_month_that_is_killed_anywhere_arrives_once(monthly: Monthly) -> None:
    assert monthly.friday("2025-12-19") == 0
    killed = 0
    for point in range(1, POINTS_AT_MOST, STEP):
        day, before = last_friday(point), listed(monthly)
        first = monthly.rename()
        code = monthly.friday(f"{day}", FERRY_CRASH_AT=str(point))
        killed += code == -signal.SIGKILL
        second = monthly.rename()  # meanwhile everyone is edited
        run_until_settled(monthly, day + timedelta(days=1))
        third = monthly.rename()
        run_until_settled(monthly, day + timedelta(days=7))

        reached = times(monthly, first, second)
        assert times(monthly, third) == dict.fromkeys(reached, 0), point
        reached["send_event"] += listed(monthly) - before
        assert reached == dict.fromkeys(reached, SIX), point
        assert monthly.doubled() == [], point
        if code != -signal.SIGKILL:
            break

    assert killed >= (40 if FULL else 4)
    final = monthly.rename()
    assert monthly.friday(f"{last_friday(point + 1)}") in (0, 3)
    assert monthly.arrived(final)["row"] == SIX
