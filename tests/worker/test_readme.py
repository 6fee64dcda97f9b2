"""The README's way from nothing to a scheduled integration: its own commands, in its own order."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.server import ROOT
from tests.worker.test_up import environment, words

HEADING = "## From nothing to a scheduled integration"
AT_MOST = 9
UP = ["flows", "up", "--port", "0", "--patients", "20"]  # what `make up` calls, smaller and on any port
PROGRAM = """def decide(entry, today):
    name = " ".join(part for part in [entry.get("first_name"), entry.get("last_name")] if part)
    return [warehouse_upsert_patients(because=["S1"], full_name=name)]
"""


def commands() -> list[str]:
    """What the README says to type, without its remarks."""
    section = (ROOT / "README.md").read_text().split(HEADING, 1)[1].split("\n## ", 1)[0]
    return [line.split("#", 1)[0].strip() for line in section.splitlines() if line.startswith("    ")]


class Shell:
    """A shell in a checkout, with a home and deployments of its own."""

    def __init__(self, folder: Path) -> None:
        self.home, self.deployments = folder / "home", folder / "deployments"
        clean = {
            name: text for name, text in os.environ.items() if not name.startswith(("PREFECT_", "FERRY_"))
        }
        mine = {"FERRY_HOME": str(self.home), "FERRY_DEPLOYMENTS": str(self.deployments), "DO_NOT_TRACK": "1"}
        self.environment = clean | mine

    def run(self, command: str, typed: str = "") -> str:
        """What a command answers; it must succeed."""
        if command.startswith(". "):
            self.environment |= environment(self.home)
            return ""
        done = subprocess.run(
            [sys.executable, "-m", *(UP if command == "make up" else words(command))],
            env=self.environment,
            cwd=ROOT,
            input=typed,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def write_files(folder: Path, addresses: Mapping[str, str]) -> None:
    """What `ferry new` leaves to a person: the time zone, the schedule, the sentences, the program."""
    change(folder / "tenant.yaml", r"timezone:.*", "timezone: America/Chicago")
    change(folder / "tenant.yaml", r"https://api\.gethealthie\.com/graphql", addresses["DEMO_HEALTHIE_URL"])
    zone = '{cron: "0 6 * * *", timezone: America/Chicago}'
    change(folder / "prefect.yaml", r"# schedules: .*", f"schedules: [{zone}]")
    change(folder / "front-desk" / "integration.yaml", r"\n +email: \{.*", "")
    (folder / "front-desk" / "instructions.md").write_text(
        "S1. Each patient is one row with the full name.\n"
    )
    (folder / "front-desk" / "program.py").write_text(PROGRAM)


def change(path: Path, old: str, new: str) -> None:
    text, number = re.subn(old, new, path.read_text())
    assert number == 1, (path, old)
    path.write_text(text)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.run(".venv/bin/ferry down")


@pytest.mark.timeout(1500)
def test_from_nothing_to_a_scheduled_integration(shell: Shell, tmp_path: Path) -> None:
    asked = commands()
    assert 0 < len(asked) <= AT_MOST
    warehouse = f"sqlite:///{tmp_path / 'front-desk.db'}"
    answers: dict[str, str] = {}

    for command in asked:
        typed = ""
        if command.endswith("connect north healthie"):
            typed = json.dumps({"api_key": shell.environment["DEMO_HEALTHIE_KEY"]})
        if command.endswith("connect north warehouse"):
            typed = json.dumps({"url": warehouse})
        answers[command] = shell.run(command, typed)
        if " new " in command:
            write_files(shell.deployments / "north", shell.environment)

    assert "20 deliveries in all, 20 arrived" in answers[asked[-1]]
    engine = sa.create_engine(warehouse, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM patients")).scalar_one() == 20
