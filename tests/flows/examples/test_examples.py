"""Three practices' integrations, whole: every golden example is a patient, and arrives as it says."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import JsonValue

from agent.golden import ExpectedPlan, Golden
from agent.plan import Plan
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from flows.tenants import load
from tests.faults.world import Practice
from tests.flows.examples.integrations import DEPLOYMENTS, LABELS, examples, files, on_this_machine
from tests.flows.examples.people import People

MOMENT = datetime.fromisoformat("2026-03-02T15:00:00+00:00")  # the day of every example
CROWD = 40  # patients beside them
Row = dict[str, object]


@dataclass
class Example:
    """One of the integrations, with a Healthie that has a patient for each of its golden examples."""

    label: str
    practice: Practice
    patients: Mapping[str, str]  # by the example's name
    golden: Mapping[str, Golden]

    def run(self) -> int:
        return self.practice.run(TEST_MOMENT=MOMENT.isoformat())

    def rows(self, operation: str) -> dict[str, Row]:
        """What the target of an operation holds, by patient."""
        target, _, table = operation.partition("_upsert_")
        described = load(DEPLOYMENTS, self.label)
        declared = described.integration.targets[target]
        key = next(one.patient for one in declared.tables if one.name == table)
        system = described.connections[declared.connection].connector
        found = self._csv(table, declared.options) if system == "csv" else self._sql(table)
        return {str(row.pop(key)): row for row in found}

    def _sql(self, table: str) -> list[Row]:
        engine = sa.create_engine(f"sqlite:///{self.practice.folder / 'target.db'}", poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}")).mappings()]

    def _csv(self, table: str, options: Mapping[str, JsonValue]) -> list[Row]:
        path = self.practice.folder / f"{table}.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            read = csv.DictReader(file, delimiter=str(options.get("delimiter", ",")))
            return [{name: text or None for name, text in row.items()} for row in read]

    def cited(self) -> set[str]:
        """Every sentence that a plan or a delivery of this run cites."""
        found = self.practice.ledger("SELECT because FROM plan UNION SELECT because FROM delivery")
        return {sentence for (because,) in found for sentence in str(because).replace(",", " ").split()}


@pytest.fixture(params=LABELS)
def example(
    request: pytest.FixtureRequest, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> Iterator[Example]:
    label: str = request.param
    golden = examples(label)
    with StandIn(CROWD, seed=5, now=MOMENT) as healthie:
        people = People(healthie)
        patients = {name: people.add(one.entry) for name, one in golden.items()}
        practice = Practice(
            healthie, probe, prefect, tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", label=label
        )
        practice.extra = {
            "FERRY_DEPLOYMENTS": str(on_this_machine(label.partition("/")[0], tmp_path)),
            "TEST_TARGET_URL": f"sqlite:///{tmp_path / 'target.db'}",
            "TEST_TARGET_FOLDER": str(tmp_path),
        }
        yield Example(label, practice, patients, golden)


@pytest.mark.parametrize("label", LABELS)
def test_the_program_decides_every_example_as_it_says(label: str) -> None:
    golden, given = examples(label), files(label)

    decided = given.decide(given.deployment.instructions, list(golden.values()))

    for (name, one), outcome in zip(golden.items(), decided, strict=True):
        assert isinstance(outcome, Plan), (name, outcome)
        assert ExpectedPlan.of(outcome) == one.plan, name


def test_every_example_arrives_from_healthie_as_it_says(example: Example) -> None:
    code = example.run()

    assert code == 0
    found: dict[str, dict[str, Row]] = {}
    arriving = {name: golden for name, golden in example.golden.items() if not golden.judgements}
    for name, golden in arriving.items():
        for call in golden.plan.calls:
            if call.op not in found:
                found[call.op] = example.rows(call.op)
            row = found[call.op][example.patients[name]]
            expected = {
                column: None if value is None else str(value) for column, value in call.arguments.items()
            }
            held = {column: None if row[column] is None else str(row[column]) for column in row}
            assert held == dict.fromkeys(row) | expected, name
    for name, golden in example.golden.items():
        if golden.plan.kind != "write" or name not in arriving:
            assert not any(example.patients[name] in rows for rows in found.values()), name
    assert sorted(found) == sorted(load(DEPLOYMENTS, example.label).integration.grants())
    _nobody_is_left_out(example)
    _every_sentence_was_followed(example)
    _nothing_is_planned_again(example)
    assert example.practice.healthie.notes() == {}


def _nobody_is_left_out(example: Example) -> None:
    everyone = len(example.practice.healthie.ids())
    counted = example.practice.ledger("SELECT kind, count(*) FROM plan GROUP BY kind")
    states = {str(kind): int(str(number)) for kind, number in counted}
    reasons = {golden.plan.reason for golden in example.golden.values() if not golden.judgements} - {""}
    if any(golden.judgements for golden in example.golden.values()):
        reasons.add("judgement")  # no model is named: a person judges
    told = {str(code) for (code,) in example.practice.ledger("SELECT DISTINCT code FROM plan")} - {""}

    assert everyone == CROWD + len(example.golden)
    assert set(states) <= {"write", "skip", "review"}
    assert sum(states.values()) == everyone
    assert told == reasons


def _every_sentence_was_followed(example: Example) -> None:
    numbers = load(DEPLOYMENTS, example.label).instructions.numbers

    assert example.cited() == set(numbers)


def _nothing_is_planned_again(example: Example) -> None:
    plans = example.practice.ledger("SELECT count(*) FROM plan")

    assert example.run() == 0
    assert example.practice.ledger("SELECT count(*) FROM plan") == plans
