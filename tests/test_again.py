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
    assert run(tmp_path, "pytest", "-q", "-k", test).returncode == 1

    again = run(tmp_path, "tests.again")

    assert again.returncode == code
    assert "FAILED BESIDE OTHERS" in again.stdout and test in again.stdout


@pytest.mark.parametrize("number", [0, 5])
def test_none_and_many_stay_a_failure(tmp_path: Path, number: int) -> None:
    kept = tmp_path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({f"test_{at}.py": True for at in range(number)}))

    again = run(tmp_path, "tests.again")

    assert again.returncode == 1
    assert again.stdout.startswith(f"again: {number} tests failed")
