"""The demonstration that the README begins with, as a newcomer runs it, with fewer patients."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_shows_its_four_situations_and_the_killed_run_is_finished(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows", "demo", "--patients", "400", "--keep", str(tmp_path / "demo")]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert re.findall(r"^ +(\d+)  done ", done.stdout, re.MULTILINE)[:3] == ["400", "0", "6"]
    killed = re.search(r"Killed: (\d+) of (\d+) were decided, (\d+) had arrived", done.stdout)
    assert killed is not None
    decided, edited, arrived = map(int, killed.groups())
    assert decided > 0 and arrived < edited  # something was begun, and something was left to finish
    assert "Lost: 0. Doubled: 0." in done.stdout
    assert "Session notes that anyone asked Healthie for: 0." in done.stdout
