"""What a dry run says of a ledger that is older than its targets."""

from collections.abc import Callable, Iterator

import pytest

from connectors.sandbox.healthie import StandIn
from tests.faults.scenes import awake, rename
from tests.faults.terminal import ferry
from tests.faults.test_restored_ledger import backup, restore
from tests.faults.world import Practice


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(3, seed=6) as stand_in:
        yield stand_in


def test_a_dry_run_on_an_older_copy_says_that_nothing_leaves_and_notes_nothing_of_it(
    practice: Callable[[str], Practice],
) -> None:
    here = practice("practice")
    awake(here)
    rename(here, "Known")
    assert here.run() == 0
    old = backup(here)
    rename(here, "Lost")
    assert here.run() == 0
    restore(here, old)

    for _ in range(2):  # a dry run does not make the copy look like the newest, either
        said = ferry(here, "run", here.label, "--dry-run")

        assert said.code == 3, said.err
        assert "dry run, changes: incomplete: ledger_restored" in said.out
        told = [line for line in said.out.splitlines() if line.startswith("patient ")]
        assert len(told) == 18 and all("waits for a person (ledger_restored)" in line for line in told)
    assert here.ledger("SELECT count(*) FROM restoration") == [(0,)]
