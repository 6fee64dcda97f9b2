"""What failed beside all the others is run once more, alone; what fails there too, or is much, has failed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ONCE = """
from pathlib import Path

def test_that_passes_the_second_time():
    seen = Path("seen").exists()
    Path("seen").touch()
    assert seen

def test_that_never_does():
    assert False
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command of Python's, below a folder, with Ferry's tests in reach."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("test", "code"), [("second_time", 0), ("never_does", 1)])
def test_what_failed_is_run_once_more_and_named(tmp_path: Path, test: str, code: int) -> None:
    (tmp_path / "test_once.py").write_text(ONCE)
    (tmp_path / "conftest.py").write_text("from tests.conftest import *")
    assert run(tmp_path, "pytest", "-q", "-k", test).returncode == 1

    again = run(tmp_path, "tests.again")

    assert again.returncode == code
    assert "FAILED BESIDE OTHERS" in again.stdout and test in again.stdout


@pytest.mark.parametrize(("number", "ended"), [(0, 1), (5, 1), (1, 2), (1, 3), (1, None)])
def test_none_and_many_and_tests_that_broke_off_stay_a_failure(
    tmp_path: Path, number: int, ended: int | None
) -> None:
    for kept, said in (
        ("cache/lastfailed", {f"test_{at}.py": True for at in range(number)}),
        ("ferry/ended", ended),
    ):
        path = tmp_path / ".pytest_cache" / "v" / kept
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(said))

    again = run(tmp_path, "tests.again")

    assert again.returncode == 1
    assert again.stdout == f"again: {number} tests failed, pytest ended with {ended}; nothing is run again\n"


def test_a_session_that_is_interrupted_is_not_taken_for_one_with_few_failures(tmp_path: Path) -> None:
    (tmp_path / "test_once.py").write_text(ONCE + "\ndef test_stop():\n    raise KeyboardInterrupt\n")
    (tmp_path / "conftest.py").write_text("from tests.conftest import *")
    assert run(tmp_path, "pytest", "-q", "-n", "2").returncode not in (0, 1)

    assert run(tmp_path, "tests.again").returncode == 1
