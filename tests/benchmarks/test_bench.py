"""One small pass of `make bench`: every figure is measured and has its row; how fast is not asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import (
    against_dlt,
    deciding,
    engine,
    loading,
    memory,
    model_requests,
    requests,
    reviewing,
    staging,
    targets,
)
from benchmarks.stopwatch import Steps, Waiting, around
from tests.connectors.every import cases

ROOT = Path(__file__).resolve().parents[2]
COUNTED = (targets.WRITES, targets.READS, targets.NOTHING)
NO_MATTER_HOW_FAST = (
    *requests.ROWS,
    *COUNTED,
    *model_requests.ROWS,
    deciding.SAME,
    engine.RECORDS,
    memory.RATIO,
)


@pytest.mark.timeout(1900)
def test_a_small_pass_gives_every_figure_its_row(tmp_path: Path) -> None:
    written = tmp_path / "results.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--write", str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    text = written.read_text() if written.exists() else ""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]

    assert done.returncode == 0, done.stderr
    every = (
        requests,
        targets,
        model_requests,
        deciding,
        engine,
        memory,
        staging,
        reviewing,
        against_dlt,
        loading,
    )
    for benchmark in every:
        for name in benchmark.ROWS:
            assert any(row[0].startswith(name) for row in rows), f"no row: {name}"
    for case in (one for one in cases() if one.most):
        assert any(row[0] == f"{targets.NOTHING}, {case.name}" for row in rows), case.name
    verdicts = {row[0]: row[3] for row in rows if row[0].startswith(NO_MATTER_HOW_FAST)}
    assert "NO" not in verdicts.values(), verdicts
    assert str(ROOT) not in text
    assert str(Path.home()) not in text


def test_an_unknown_name_is_said() -> None:
    command = [sys.executable, "-m", "benchmarks", "speed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)

    assert done.returncode == 2
    assert "no benchmark speed" in done.stderr


class Work:
    """Something to put clocks around; `spin` holds the processor, so that its time is surely seen."""

    def outer(self) -> None:
        spin()
        self.inner()

    def inner(self) -> None:
        spin()


def spin() -> None:
    sum(range(400_000))


def test_an_inner_step_is_not_counted_in_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("outer", "inner"):
        monkeypatch.setattr(Work, name, getattr(Work, name))  # put back afterwards
    steps, whole = Steps(), Steps()
    around(Work, "outer", lambda: steps.step("outer"))
    around(Work, "inner", lambda: steps.step("inner"))
    around(Work, "outer", lambda: whole.step("whole"))
    Work().outer()

    parts = steps.spent["outer"].cpu + steps.spent["inner"].cpu
    assert steps.spent["inner"].cpu > 0
    assert steps.spent["outer"].cpu > 0
    assert parts <= whole.spent["whole"].cpu <= parts + 0.01


def test_waiting_for_two_requests_at_once_counts_once() -> None:
    waiting = Waiting()
    with waiting.request():
        with waiting.request():
            spin()
        inner = waiting.seconds

    assert inner == 0
    assert waiting.seconds > 0
    assert waiting.requests == 2
