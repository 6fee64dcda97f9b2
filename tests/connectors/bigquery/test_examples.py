"""The practices' integrations, whole, into BigQuery: every golden example is a patient, and arrives."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from connectors.bigquery import BigQuery
from connectors.operation import arguments_of
from connectors.sandbox.bigquery import BigQueryServer
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Rows, Table
from flows.tenants import load
from tests.connectors.bigquery.case import CASES
from tests.connectors.bigquery.place import Place
from tests.connectors.deploying import LABEL, deployed
from tests.connectors.every import held
from tests.faults.world import Practice
from tests.flows.examples.integrations import LABELS, examples, on_this_machine
from tests.flows.examples.people import People
from tests.flows.examples.test_examples import CROWD, MOMENT

SETTINGS = ("project", "dataset", "url", "service_account")


@pytest.fixture
def served() -> Iterator[Place]:
    with BigQueryServer() as server:
        yield Place(server)


def into_bigquery(tenant: str, folder: Path) -> Path:
    """A copy of a tenant's deployments whose targets are all in BigQuery."""
    there = on_this_machine(tenant, folder)
    path = there / tenant / "tenant.yaml"
    described = yaml.safe_load(path.read_text())
    for connection in described["connections"].values():
        if connection["connector"] in ("sql", "csv"):
            settings = {name: f"$TEST_BIGQUERY_{name.upper()}" for name in SETTINGS}
            connection |= {"connector": "bigquery", "settings": settings}
    path.write_text(yaml.safe_dump(described))
    for integration in (there / tenant).glob("*/integration.yaml"):
        (integration.parent / "approval.yaml").unlink(missing_ok=True)  # it is of the files as they were
        described = yaml.safe_load(integration.read_text())
        for target in described["targets"].values():
            target.pop("options", None)
            target["confirmed"] = dict.fromkeys(sorted(BigQuery.holds.names), "for a test")
        integration.write_text(yaml.safe_dump(described))
    return there


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, served: Place, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    golden = examples(label)
    deployments = into_bigquery(label.partition("/")[0], tmp_path)
    targets = load(deployments, label).integration.targets
    tables = {
        f"{name}_upsert_{table.name}": table.table()
        for name, target in targets.items()
        for table in target.tables
    }
    with StandIn(CROWD, seed=5, now=MOMENT) as healthie:
        people = People(healthie)
        patients = {name: people.add(one.entry) for name, one in golden.items()}
        practice = Practice(
            healthie, probe, prefect, tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", label=label
        )
        values = served.values()
        practice.extra = {
            "FERRY_DEPLOYMENTS": str(deployments),
            **{f"TEST_BIGQUERY_{name.upper()}": str(values[name]) for name in SETTINGS},
        }
        assert practice.run(TEST_MOMENT=MOMENT.isoformat()) == 0
        jobs = served.jobs()
        assert practice.run(TEST_MOMENT=MOMENT.isoformat()) == 0

    for name, one in golden.items():
        if not one.judgements:
            for call in one.plan.calls:
                table = tables[call.op]
                assert arrived(served, table, patients[name]) == expected(table, call.arguments), name
    assert served.jobs() == jobs  # nothing changed, nothing is sent
    assert jobs.count("load") == jobs.count("query") == len(tables)


@pytest.mark.timeout(300)
def test_more_entries_than_a_page_leave_in_one_batch(
    probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    """Entries are read 500 at a time; what is planned of them waits until a batch is full."""
    (case,) = CASES
    with case.opened(tmp_path) as world, StandIn(700, seed=5, now=MOMENT) as healthie:
        named = deployed(case, world, tmp_path / "deployments")
        extra = {**named, "FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
        ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
        practice = Practice(healthie, probe, prefect, tmp_path, ledger, label=LABEL, extra=extra)

        assert practice.run(TEST_MOMENT=MOMENT.isoformat()) == 0
        assert world.writes is not None
        assert len(world.records("upsert_people")) > 500
        assert world.writes() == 2


def arrived(served: Place, table: Table, patient: str) -> Mapping[str, JsonValue]:
    rows = [held(table, row) for row in served.rows(table.name) if row[table.patient] == patient]
    assert len(rows) == 1
    return {name: rows[0][name] for name in table.columns if name != table.patient}


def expected(table: Table, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    given = arguments_of(Rows(table).arguments.model_validate(dict(arguments)))
    return dict.fromkeys(name for name in table.columns if name != table.patient) | given
