"""The reader of change against a source that changes while it is read; and readers that must fail."""

import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from connectors import changes
from tests.campaign import FULL
from tests.connectors.changes.machine import machine_for
from tests.connectors.changes.model import OVERLAP, Listing, at

EXAMPLES = 20_000 if FULL else 150  # random ones, or the same ones at each run

BROKEN = {
    "greater than, not greater or equal": [("row.stamp >= floor", "row.stamp > floor")],
    "paged by position": [
        ("after = page.after", "after = f'skip:{(skipped := skipped + len(page.rows))}'"),
        ("after: str | None = None\n        while", "after, skipped = None, 0\n        while"),
    ],
    "no overlap": [("- self._overlap", "- timedelta(0)")],
}


def reader_with(*substitutions: tuple[str, str]) -> ModuleType:
    """`connectors.changes` with its text changed, as a module of its own."""
    text = Path(changes.__file__).read_text(encoding="utf-8")
    for old, new in substitutions:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    module = ModuleType("broken_changes")
    module.__file__ = "broken_changes.py"
    sys.modules["broken_changes"] = module
    try:
        exec(compile(text, "broken_changes.py", "exec"), module.__dict__)
    finally:
        del sys.modules["broken_changes"]
    return module


def broken_reader(fault: str) -> ModuleType:
    return reader_with(*BROKEN[fault])


def run(reader: ModuleType, examples: int, *, same: bool = True, counts: bool = True) -> None:
    run_state_machine_as_test(
        machine_for(reader, counts=counts),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            derandomize=same,
            database=None,
            deadline=None,
            phases=[Phase.generate] if same else [Phase.generate, Phase.shrink],
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_change_is_lost_by_the_reader() -> None:
    run(changes, EXAMPLES, same=not FULL)


def test_an_unbroken_copy_passes() -> None:
    run(reader_with(), 20)


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("newest_first", [True, False])
def test_a_broken_reader_reads_a_quiet_listing(fault: str, newest_first: bool) -> None:
    listing = Listing(newest_first=newest_first, second=1000)
    for number in range(9):
        listing.write(f"row{number}", (f"p{number}",))
    scan = broken_reader(fault).scan(listing, None, now=lambda: at(1000), overlap=timedelta(seconds=OVERLAP))

    assert {change.patient for page in scan for change in page} == {f"p{number}" for number in range(9)}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_reader_is_found_out(fault: str) -> None:
    broken = broken_reader(fault)

    with pytest.raises(AssertionError, match="a change was never nominated"):
        run(broken, 1500, counts=False)


def test_rows_that_moved_are_looked_for_before_a_listing_is_refused() -> None:
    blunt = reader_with(("LOOKS = 5", "LOOKS = 0"))

    with pytest.raises(AssertionError, match="a listing without a fault was refused"):
        run(blunt, 1500)
