import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.faults.terminal import Said, ferry
from tests.faults.world import DEPLOYMENTS, Practice

EMIT = "last-week-of-month"
TIMEZONE = "America/New_York"
FRIDAY = """
deployments:
  - name: acme-everything
    entrypoint: flows/sync.py:sync
    parameters: {integration: {tenant: acme, integration: everything, emit: last-week-of-month}}
    schedules: [{cron: "0 6 * * 5", timezone: America/New_York}]
"""
WORDS = itertools.count(1)


@dataclass
class Monthly:
    """A practice that runs on Fridays at six and delivers in the last week of the month."""

    practice: Practice

    def friday(self, day: str, **environment: str) -> int:
        """The run of that day, at six in New York. Its exit code."""
        return self.run(f"{day}T06:00:00-05:00", **environment)

    def run(self, moment: str, kind: str = "changes", **environment: str) -> int:
        return self.practice.run(kind, TEST_MOMENT=moment, TEST_EMIT=EMIT, **environment)

    def rename(self) -> str:
        """Give everyone a new last name, the same for all."""
        word = f"Name{next(WORDS)}x"
        healthie = self.practice.healthie
        healthie.apply([Edit(id=one, values={"last_name": word}) for one in healthie.ids()])
        return word

    def left(self) -> dict[str, set[tuple[str, str]]]:
        """What arrived until now: of each operation the patients with the names."""
        found: dict[str, set[tuple[str, str]]] = {}
        names = {"keyed_charge": "memo", "create_order": "product", "send_event": "name"}
        for one in self.practice.probe.effects():
            name = str(one.arguments.get(names.get(one.operation, "last_name")))
            found.setdefault(one.operation, set()).add((str(one.patient), name))
        for patient, full_name in self.practice.rows().items():
            found.setdefault("row", set()).add((patient, full_name.rsplit(" ", 1)[-1]))
        return found

    def arrived(self, word: str) -> dict[str, int]:
        """How many patients' newest name arrived, by operation."""
        return {
            operation: sum(name == word for _, name in pairs)
            for operation, pairs in self.left().items()
            if any(name == word for _, name in pairs)
        }

    def doubled(self) -> list[tuple[object, ...]]:
        """Entries of which more than one version left, or may have, in a month by one operation."""
        return self.practice.ledger(
            "SELECT entry, operation, period FROM delivery WHERE period IS NOT NULL "
            "AND state IN ('done', 'sent', 'unknown') "
            "GROUP BY entry, operation, period HAVING count(DISTINCT version) > 1"
        )

    def says(self, *arguments: str) -> Said:
        return ferry(self.practice, *arguments)


@pytest.fixture
def monthly(practice: Callable[[str], Practice], tmp_path: Path) -> Monthly:
    made = practice("monthly")
    folder = tmp_path / "deployments"
    shutil.copytree(DEPLOYMENTS, folder)
    (folder / "acme" / "prefect.yaml").write_text(FRIDAY)
    tenant = folder / "acme" / "tenant.yaml"
    tenant.write_text(f"timezone: {TIMEZONE}\n{tenant.read_text()}")
    made.extra = {"FERRY_DEPLOYMENTS": str(folder)}
    made.healthie.apply([Edit(act="restore", id=one) for one in made.healthie.ids()])
    return Monthly(made)
