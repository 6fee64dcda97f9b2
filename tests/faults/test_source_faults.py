"""The source answers badly: nothing is lost, nothing is blanked, and an error is never an empty list."""

import re
from collections.abc import Iterator, Mapping

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.faults import Fault, Trouble
from connectors.sandbox.probe import ProbeServer
from tests.campaign import FULL
from tests.faults.conftest import MakeLedger
from tests.faults.scenes import EARLIER, LONG_AGO, awake, cursors, ended, met, next_request, pass_time, rename
from tests.faults.world import Practice, Tally, tally

BAD_ANSWERS: tuple[Trouble, ...] = (
    "rate_limited", "too_many_requests", "server_error", "bad_gateway", "html", "errors", "truncated",
    "half_json", "hang", "reset",
)  # fmt: skip
READING = ("source's check", "target's check", "changed patients", "changed tags", "entries")
"""The requests of a run before anything is delivered, in their order."""
ONE_LINE = re.compile(r"[a-z_0-9]+: [ -~]+")
CLEAN = Tally([], [], [])


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(4, seed=5) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def workplace(
    healthie: StandIn,
    probe: ProbeServer,
    prefect: Mapping[str, str],
    ledger: MakeLedger,
    tmp_path_factory: pytest.TempPathFactory,
) -> Practice:
    """One practice for all of these tests: each begins with a complete run behind it."""
    folder = tmp_path_factory.mktemp("practice")
    made = Practice(healthie, probe, prefect, folder, ledger(folder))
    awake(made)
    rename(made, "Before")
    assert made.run() == 0
    return made


@pytest.fixture
def here(workplace: Practice) -> Iterator[Practice]:
    """The practice, its last run complete and three hours ago."""
    pass_time(workplace, LONG_AGO)
    workplace.healthie.reset()
    yield workplace
    workplace.healthie.faults()


def script(practice: Practice, trouble: Trouble, *, passed: int, times: int, wait: int | None = None) -> None:
    """The request after so many passed ones, and the next ones, meet the trouble."""
    fault = Fault(trouble=trouble, skip=passed, times=times, seconds=0.4, retry_after=wait)
    practice.healthie.faults([fault])


def assert_nothing_was_blanked(practice: Practice) -> None:
    assert sorted(practice.rows()) == sorted(practice.healthie.ids())
    assert all(re.search(r" (Before|After)\w+x$", name) for name in practice.rows().values())


def assert_a_quiet_run_delivers(practice: Practice, expected: dict[str, list[str]]) -> None:
    practice.healthie.faults()

    assert practice.run() == 0, (practice.folder / "engine.log").read_text()[-2000:]
    assert tally(practice, expected) == CLEAN


@pytest.mark.parametrize("trouble", BAD_ANSWERS)
def test_a_short_disturbance_of_every_request_costs_nothing(here: Practice, trouble: Trouble) -> None:
    expected = rename(here, "After", ago=EARLIER)
    first = next_request(here)
    every_other = [
        Fault(trouble=trouble, at_request=first + 2 * at, seconds=0.2, retry_after=0)
        for at in range(len(READING))
    ]
    here.healthie.faults(every_other)

    assert here.run() == 0, ended(here)
    assert met(here, trouble) == len(READING)
    assert tally(here, expected) == CLEAN


POSITIONS = {trouble: at % len(READING) for at, trouble in enumerate(BAD_ANSWERS)}


@pytest.mark.parametrize(
    ("trouble", "passed"),
    [(one, at) for one in BAD_ANSWERS for at in range(len(READING)) if FULL or POSITIONS[one] == at],
)
def test_a_lasting_disturbance_ends_the_run_and_loses_nothing(
    here: Practice, trouble: Trouble, passed: int
) -> None:
    expected = rename(here, "After", ago=EARLIER)
    before = cursors(here)
    script(here, trouble, passed=passed, times=1000)

    assert here.run() == 1
    assert ONE_LINE.fullmatch(ended(here)), ended(here)
    assert cursors(here) == before
    assert_nothing_was_blanked(here)
    assert_a_quiet_run_delivers(here, expected)


def nothing(trouble: Trouble, root: str, *, passed: int = 0, times: int = 4) -> Fault:
    return Fault(trouble=trouble, root=root, skip=passed, times=times)


STOPPING = {
    "changed patients, empty": ("changes", [nothing("empty", "users")]),
    "changed patients, partial": ("changes", [nothing("partial", "users")]),
    "changed tags, partial": ("changes", [nothing("partial", "appliedTags")]),
    "entries, partial": ("changes", [nothing("partial", "users", passed=1)]),
    "everyone, empty": ("sweep", [nothing("empty", "users")]),
    "everyone, partial": ("sweep", [nothing("partial", "users")]),
    "entries of everyone, partial": ("sweep", [nothing("partial", "users", passed=1)]),
}


@pytest.mark.parametrize("what", STOPPING)
def test_an_answer_without_its_rows_is_no_empty_list(here: Practice, what: str) -> None:
    kind, faults = STOPPING[what]
    expected, before = rename(here, "After", ago=EARLIER), cursors(here)
    here.healthie.faults(faults)

    assert here.run(kind) == 1
    assert met(here, "empty") + met(here, "partial") > 0
    assert ONE_LINE.fullmatch(ended(here)), ended(here)
    assert cursors(here) == before
    assert_nothing_was_blanked(here)
    assert_a_quiet_run_delivers(here, expected)


@pytest.mark.parametrize("kind", ["changes", "sweep"])
def test_entries_that_a_batch_does_not_give_are_asked_for_one_by_one(here: Practice, kind: str) -> None:
    expected = rename(here, "After", ago=EARLIER)
    here.healthie.faults([nothing("empty", "users", passed=1, times=1)])

    assert here.run(kind) == 0, ended(here)
    assert met(here, "empty") == 1
    assert tally(here, expected) == CLEAN


@pytest.fixture
def withheld(here: Practice) -> Iterator[str]:
    """A patient whom the source withholds, without showing it as a change."""
    patient = here.healthie.ids()[1]
    here.healthie.configure(restricted_shown=True)
    here.healthie.edit("User", patient, touch=False, restricted=True)
    yield patient
    here.healthie.edit("User", patient, touch=False, restricted=False)


def test_an_entry_that_cannot_be_read_stays_open_until_it_can(here: Practice, withheld: str) -> None:
    expected = rename(here, "After", ago=EARLIER)
    code = here.run()
    absent = here.ledger("SELECT state, code FROM entry WHERE state = 'absent'")
    here.healthie.edit("User", withheld, touch=False, restricted=False)

    assert code in (0, 3)
    assert absent == [("absent", "restricted")]
    assert_nothing_was_blanked(here)
    assert_a_quiet_run_delivers(here, expected)  # no feed shows it any more: the change was an hour ago
    assert here.ledger("SELECT DISTINCT state, code FROM entry") == [("planned", "")]


def test_an_entry_that_was_away_and_is_back_as_it_was_is_unchanged(here: Practice, withheld: str) -> None:
    plans = here.ledger("SELECT count(*) FROM plan")
    here.run("sweep")
    absent = here.ledger("SELECT state, code FROM entry WHERE state = 'absent'")
    here.healthie.edit("User", withheld, touch=False, restricted=False)

    assert absent == [("absent", "restricted")]
    assert here.run() == 0
    assert here.ledger("SELECT DISTINCT state, code FROM entry") == [("planned", "")]
    assert here.ledger("SELECT count(*) FROM plan") == plans


def test_a_wait_of_a_day_is_left_to_the_next_run(here: Practice) -> None:
    expected = rename(here, "After", ago=EARLIER)
    script(here, "rate_limited", passed=2, times=1, wait=86_400)

    assert here.run() == 1
    assert "rate_limited" in ended(here) or "429" in ended(here)
    assert_a_quiet_run_delivers(here, expected)
