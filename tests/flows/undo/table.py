"""An integration that carries into one table of a database, without Prefect around its runs."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from flows.ledger import deliveries, lease
from flows.run import new_id
from tests.faults.world import DEPLOYMENTS
from tests.flows.undo.office import Office, Ran

LABEL = "acme/simple"


@dataclass(frozen=True)
class Table:
    """Three patients, carried once."""

    office: Office
    healthie: StandIn
    file: Path

    @property
    def patient(self) -> str:
        return self.healthie.ids()[0]

    def edit(self, **values: str | None) -> None:
        """Edit the first patient in the source."""
        self.healthie.apply([Edit(id=self.patient, values=dict(values))])

    def carried(self, **values: str | None) -> Ran:
        """Edit the first patient and carry it."""
        self.edit(**values)
        ran = self.office.run()
        assert ran.state == "complete", ran
        return ran

    def undone(self, run: str) -> Ran:
        ran = self.office.run("undo", run)
        assert ran.state == "complete", ran
        return ran

    def held(self, column: str) -> str | None:
        """What the table has of the first patient."""
        query = f"SELECT {column} FROM patients WHERE patient_id = ?"
        with closing(sqlite3.connect(self.file)) as connection:
            row = connection.execute(query, (self.patient,)).fetchone()
        return None if row is None else row[0]

    def by_hand(self, column: str, value: str) -> None:
        """As a person does, in the database itself."""
        self._execute(f"UPDATE patients SET {column} = '{value}' WHERE patient_id = '{self.patient}'")

    def refuse(self, name: str) -> None:
        """From now on the database refuses that name."""
        self._execute(
            f"CREATE TRIGGER no BEFORE UPDATE ON patients WHEN NEW.full_name = '{name}' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )

    def take_again(self) -> None:
        """It refuses nothing any more, and what it refused is to be sent again."""
        self._execute("DROP TRIGGER no")
        ledger = self.office.ledger()
        with closing(ledger):
            lease.take(ledger, new_id())
            with ledger.writing("again") as connection:
                deliveries.send_refused_again(ledger, connection)
            lease.give_back(ledger)

    def remove(self) -> None:
        """As a person does: the first patient's row is gone."""
        self._execute(f"DELETE FROM patients WHERE patient_id = '{self.patient}'")

    def _execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute(statement)
            connection.commit()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """The database can be read, and takes no write."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def declare(self, old: str, new: str) -> None:
        """Change the integration's file."""
        file = self.office.root / LABEL / "integration.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def limit(self, limits: str) -> None:
        self.declare("limits: {at_least: 3, share: 0.1}", f"limits: {limits}")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    with StandIn(3, seed=4) as healthie:
        for at, one in enumerate(healthie.ids()):
            values = {"first_name": "Ana", "last_name": f"Start{at}", "email": f"p{at}@example.com"}
            healthie.apply([Edit(act="restore", id=one), Edit(id=one, values={**values, "metadata": None})])
        shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
        file = tmp_path / "warehouse.db"
        monkeypatch.setenv("TEST_HEALTHIE_URL", healthie.endpoint)
        monkeypatch.setenv("TEST_HEALTHIE_KEY", healthie.api_key)
        monkeypatch.setenv("TEST_WAREHOUSE_URL", f"sqlite:///{file}")
        office = Office(tmp_path / "deployments", LABEL, tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}")
        assert office.run().state == "complete"
        yield Table(office, healthie, file)
