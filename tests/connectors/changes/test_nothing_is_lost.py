"""The reader of change against a source that changes while it is read; and readers that must fail."""

import os
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from connectors import changes
from tests.connectors.changes.machine import machine_for

EXAMPLES = int(os.environ.get("FERRY_CAMPAIGN", "150"))

BROKEN = {
    "greater than, not greater or equal": ("row.stamp >= floor", "row.stamp > floor"),
    "paged by position": ("after = page.after", "after = f'skip:{(skipped := skipped + len(page.rows))}'"),
    "no overlap": ("- self._overlap", "- timedelta(0)"),
}


def reader_with(*substitutions: tuple[str, str]) -> ModuleType:
    """`connectors.changes` with its text changed, as a module of its own."""
    text = Path(changes.__file__).read_text(encoding="utf-8")
    for old, new in substitutions:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    module = ModuleType("broken_changes")
    module.__file__ = "broken_changes.py"
    import sys

    sys.modules["broken_changes"] = module
    try:
        exec(compile(text, "broken_changes.py", "exec"), module.__dict__)
    finally:
        del sys.modules["broken_changes"]
    return module


def run(reader: ModuleType, examples: int) -> None:
    run_state_machine_as_test(
        machine_for(reader),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],  # a counterexample is enough: do not spend time on the smallest one
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_change_is_lost_by_the_reader() -> None:
    run(changes, EXAMPLES)


def test_an_unbroken_copy_passes() -> None:
    run(reader_with(), 20)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_reader_is_found_out(fault: str) -> None:
    substitutions = [BROKEN[fault]]
    if fault == "paged by position":
        substitutions.append(("after: str | None = None\n        while", "after, skipped = None, 0\n        while"))
    broken = reader_with(*substitutions)

    with pytest.raises(AssertionError, match="a change was never nominated"):
        run(broken, 1500)
