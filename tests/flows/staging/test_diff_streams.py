"""`ferry diff` holds a page of a run's writes, however many there are."""

import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from tests.campaign import FULL
from tests.flows.review.filled import stage

FEW, MANY = (1_000, 100_000) if FULL else (400, 4_000)
FLAT = 1.1  # times


def peak(folder: Path, number: int) -> int:
    """The most memory, in KiB, that it takes to tell of so many writes."""
    folder.mkdir()
    with stage(folder, number) as ledger, ledger.reading() as connection:
        run = connection.execute(sa.text("SELECT id FROM run")).scalar_one()
    with (folder / "said").open("wb") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "flows", "diff", str(run)],
            env={**os.environ, "FERRY_HOME": str(folder), "FERRY_ENV": "local", "PREFECT_API_URL": ""},
            stdout=said,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    last = (folder / "said").read_text().splitlines()[-1]
    assert f"{number} writes, " in last
    return used.ru_maxrss


def test_ten_times_the_writes_take_no_more_memory(tmp_path: Path) -> None:
    few, many = peak(tmp_path / "few", FEW), peak(tmp_path / "many", MANY)

    assert many <= FLAT * few, (few, many)
