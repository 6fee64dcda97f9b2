"""The README's way from nothing to a scheduled integration: its own commands, in its own order."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from flows.server import ROOT
from tests.worker.test_up import environment, words

HEADING = "## From nothing to a scheduled integration"
AT_MOST = 9
UP = ["flows", "up", "--port", "0", "--patients", "20"]  # what `make up` calls, smaller and on any port


def section() -> str:
    return (ROOT / "README.md").read_text().split(HEADING, 1)[1].split("\n## ", 1)[0]


def commands() -> list[str]:
    """What the README says to type, without its remarks."""
    lines = re.sub(r"```.*?```", "", section(), flags=re.DOTALL).splitlines()
    return [line.split("#", 1)[0].strip() for line in lines if line.startswith("    ")]


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


def write_files(folder: Path) -> None:
    """What the README says to write into the files of `ferry new`, and nothing else."""
    edits = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|$", section(), re.MULTILINE)
    assert len(edits) > 3
    for name, old, new in edits:
        text = (folder / name).read_text()
        assert text.count(old) == 1, (name, old)
        (folder / name).write_text(text.replace(old, new))
    ((file, function),) = re.findall(r"in `([^`]+\.py)`.*?```python\n(.*?)```", section(), re.DOTALL)
    text = (folder / file).read_text()
    (folder / file).write_text(text[: text.index("def decide")] + function)


def scheduled(shell: Shell) -> list[Any]:
    """The deployment's schedules, as the server has them."""
    url = f"{shell.environment['PREFECT_API_URL']}/deployments/name/sync/north-front-desk"
    answer = httpx.get(url, timeout=60.0, trust_env=False)
    return list(answer.raise_for_status().json()["schedules"])


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.run(".venv/bin/ferry down")


@pytest.mark.timeout(1500)
def test_from_nothing_to_a_scheduled_integration(shell: Shell) -> None:
    asked = commands()
    assert 0 < len(asked) <= AT_MOST
    answers: dict[str, str] = {}

    for command in asked:
        typed = ""
        if command.endswith("connect north healthie"):
            typed = json.dumps({"api_key": shell.environment["DEMO_HEALTHIE_KEY"]})
        if command.endswith("connect north warehouse"):
            typed = json.dumps({"url": shell.environment["DEMO_WAREHOUSE_URL"]})
        answers[command] = shell.run(command, typed)
        if " new " in command:
            write_files(shell.deployments / "north")

    assert "20 deliveries in all, 20 arrived" in answers[asked[-1]]
    engine = sa.create_engine(shell.environment["DEMO_WAREHOUSE_URL"], poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT full_name, email FROM patients")).all()
    assert len(rows) == 20 and all(name for name, _ in rows) and any(email for _, email in rows)
    (schedule,) = scheduled(shell)
    assert schedule["active"] and schedule["schedule"]["cron"] == "0 6 * * *"
