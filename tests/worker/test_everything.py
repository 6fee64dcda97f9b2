"""From a deployment file to an arrived row, on SQLite and PostgreSQL: two tenants, a server, a worker.

The patients are canaries: what all of it leaves behind is scanned for them, and for the secrets.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa
import yaml

from connectors.healthie.fields import catalogue
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from flows.server import wait_for_records
from flows.vault import KeyFile, SealBroken
from tests.faults import leaky
from tests.faults.leaks import Scanner
from tests.faults.story import LOUD, RAISING
from tests.faults.test_canaries import STEM
from tests.faults.world import FORKS
from tests.flows.ledgers import open_at
from tests.worker import scan
from tests.worker.conftest import Server
from tests.worker.processes import kill
from tests.worker.scan import Seen
from tests.worker.site import Json, Site, paused, until

TENANTS = ("north", "south")
SEALED = "north"  # its key is in a sealed block alone; the other's is in the environment
INTEGRATION = "everything"
ATTEMPT = "prefect-workspace-attempt-"  # while a run goes: its environment, for the owner
LEAKY = {
    "flow_run.parameters", "flow_run.name", "task_run.name", "log.message", "artifact.data",
    "task_run_state.message", "flow_run_state.message", "events.payload",
}  # fmt: skip


@dataclass
class Told:
    """What happened, and what is to be scanned."""

    site: Site
    server: Server
    words: set[str] = field(default_factory=set[str])
    secrets: set[str] = field(default_factory=set[str])
    patients: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    runs: dict[str, str] = field(default_factory=dict[str, str])  # act -> flow run
    seen: Seen = field(default_factory=Seen)

    def scanner(self) -> Scanner:
        return Scanner({STEM, *(word for word in self.words if STEM not in word.upper()), *self.secrets})


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    server: Server = request.getfixturevalue(f"on_{request.param}")
    site = Site(tmp_path_factory.mktemp(request.param), server.prefect)
    if request.param == "postgresql":
        site.extra["FERRY_LEDGER_URL"] = beside(server.database)
    story = Told(site, server)
    with ExitStack() as stack:
        stack.callback(site.close)
        for tenant in TENANTS:
            healthie = stack.enter_context(StandIn(1, seed=len(story.patients) + 8))
            probe = stack.enter_context(ProbeServer())
            story.patients[tenant], words = healthie.canary(2)
            story.words |= {*words, *story.patients[tenant]}
            story.secrets.add(healthie.api_key)
            site.tenant(tenant, INTEGRATION)
            site.reaches(tenant, (healthie.endpoint, healthie.api_key), probe.url)
            read_everything(site, tenant)
            if tenant == SEALED:
                site.connect(tenant, api_key=healthie.api_key)
            assert site.deploy(tenant).returncode == 0
        site.extra |= {"PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_LOGGING_EXTRA_LOGGERS": LOUD}
        site.extra |= {"TMPDIR": str(site.folder)}
        site.worker("worker")
        with scan.watching(os.getpid()) as story.seen:
            tell(story)
        assert wait_for_records(server.prefect["PREFECT_API_URL"], limit=120.0)
        yield story


def beside(database: str) -> str:
    """A database for the ledger on the server of Prefect's."""
    engine = sa.create_engine(database, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE ledger"))
    return sa.make_url(database).set(database="ledger").render_as_string(hide_password=False)


def read_everything(site: Site, tenant: str) -> None:
    """Every field there is gets read."""
    file = site.deployments / tenant / INTEGRATION / "fields.yaml"
    file.write_text(yaml.safe_dump({"S1": sorted({*catalogue(), "metadata.canary"} - {"metadata"})}))


def tell(story: Told) -> None:
    """Both tenants run; one is killed in mid-run and taken over; one's program fails on every entry."""
    site = story.site
    killed = site.start(f"north-{INTEGRATION}", FERRY_CRASH_AT="before journal", FERRY_CRASH_SIGNAL="SIGSTOP")
    kill(paused(site, killed))
    site.ended(killed)
    good = {tenant: site.start(f"{tenant}-{INTEGRATION}") for tenant in TENANTS}
    for flow_run in good.values():
        site.ended(flow_run)
    program = site.deployments / "south" / INTEGRATION / "program.py"
    before = program.read_text()
    program.write_text(RAISING)
    apart = {"FERRY_HOME": str(site.folder / "failing"), "FERRY_LEDGER_URL": ""}  # a ledger of its own
    failing = site.start(f"south-{INTEGRATION}-again", **apart)
    site.ended(failing)
    program.write_text(before)
    story.runs = {"killed": killed, "failing": failing} | good
    until(lambda: not list(site.folder.glob(f"{ATTEMPT}*")), "Prefect's worker tidied up")


def artifacts(site: Site, flow_run: str) -> dict[str, str]:
    asked: Json = {"flow_runs": {"id": {"any_": [flow_run]}}}
    found = cast(list[Json], site.post("artifacts/filter", **asked))
    return {str(one["key"]): str(one["type"]) for one in found}


@pytest.mark.timeout(1200)
def test_a_run_for_each_tenant_shows_in_states_artifacts_and_the_ledger(told: Told) -> None:
    for tenant in TENANTS:
        flow_run = told.site.flow_run(told.runs[tenant])
        state = cast(Json, flow_run["state"])
        run = str(flow_run["name"]).removeprefix(f"{tenant}/{INTEGRATION} changes ")

        assert (state["type"], state["name"]) == ("COMPLETED", "Complete")
        assert state["message"] == f"{tenant}/{INTEGRATION}, run {run}, changes: complete"
        assert {f"run:{run}", f"tenant:{tenant}"} <= set(cast(list[str], flow_run["tags"]))
        assert told.site.ledger(f"SELECT state, flow_run FROM run WHERE id = '{run}'") == [
            ("complete", told.runs[tenant])
        ]
        kinds = artifacts(told.site, told.runs[tenant])
        assert {f"{tenant}-{INTEGRATION}-report", f"{tenant}-{INTEGRATION}-counts"} <= kinds.keys()
        assert [one["state_type"] for one in told.site.task_runs(told.runs[tenant])] == ["COMPLETED"]


def test_each_tenants_patients_arrived_at_its_own_target_and_no_other(told: Told) -> None:
    for tenant in TENANTS:
        engine = sa.create_engine(f"sqlite:///{told.site.warehouse(tenant)}", poolclass=sa.NullPool)
        with engine.connect() as connection:
            rows = {str(one) for (one,) in connection.execute(sa.text("SELECT patient_id FROM patients"))}

        assert set(told.patients[tenant]) <= rows
        content = told.site.warehouse(tenant).read_bytes()
        assert STEM.encode() in content


def test_the_killed_run_is_crashed_and_was_taken_over(told: Told) -> None:
    assert told.site.state(told.runs["killed"])["type"] == "CRASHED"
    assert told.site.state(told.runs["failing"])["name"] == "Incomplete"
    assert told.site.ledger("SELECT state, count(*) FROM run GROUP BY state ORDER BY state") == [
        ("complete", 2), ("cut_off", 1),
    ]  # fmt: skip


def test_nothing_in_prefects_database(told: Told) -> None:
    places = {place for place, _ in scan.columns(told.server.database)}

    assert LEAKY - {"events.payload"} <= places  # they are there, and hold something
    assert b'"sealed"' in scan.block_documents(told.server.database)[f"ferry-{SEALED}-healthie"]
    assert scan.in_database(told.scanner(), told.server.database) == set()


def test_nothing_in_the_ledgers_clear_columns(told: Told) -> None:
    url = told.site.ledger_url

    assert url.startswith(told.server.database.partition(":")[0])  # both on one kind of database
    assert {"plan.sealed", "entry.patient_sealed"} <= {place for place, _ in scan.columns(url)}
    assert scan.in_columns(told.scanner(), url) == set()


def test_nothing_in_logs_results_outputs_and_files_but_the_declared_target(told: Told) -> None:
    targets = {path for tenant in TENANTS for path in told.site.folder.glob(f"{tenant}/warehouse.db*")}
    log = (told.site.folder / "worker.log").read_text()

    assert "Beginning flow run" in log
    assert told.scanner().in_folder(told.site.folder, targets) == set()
    assert told.scanner().in_folder(told.server.folder) == set()


def test_nothing_in_command_lines_and_in_environments_only_what_was_declared(told: Told) -> None:
    declared = {name.encode() for name in told.site.extra}
    others = [one for one in told.seen.environment if one.partition(b"=")[0] not in declared]
    values = [one for one in told.seen.environment if one.partition(b"=")[0] in declared]
    patients = Scanner({STEM, *(word for word in told.words if STEM not in word.upper())})

    assert any(b"prefect.engine" in line for line in told.seen.argv)
    assert told.scanner().hits("argv", b"\n".join(told.seen.argv)) == set()
    assert told.scanner().hits("environment", b"\n".join(others)) == set()
    assert patients.hits("declared", b"\n".join(values)) == set()


def test_a_copy_of_both_databases_opens_nothing_without_the_key(told: Told, tmp_path: Path) -> None:
    url = told.site.ledger_url
    if url.startswith("sqlite"):
        shutil.copy(told.site.folder / "ledger.db", tmp_path / "ledger.db")
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
    KeyFile(tmp_path / "ferry.key")  # a thief's own

    with pytest.raises(SealBroken):  # so neither the sealed block: it is under the data key in there
        open_at(url, tmp_path, INTEGRATION, tenant=SEALED, environment=told.site.env)
    stolen = told.scanner().in_folder(tmp_path)
    assert stolen == set()


def test_a_leaky_flow_and_a_secret_block_are_found(told: Told, tmp_path: Path) -> None:
    word, url = "Planted-4711@example.com", told.server.database
    scanner = Scanner([word])
    process = FORKS.Process(target=leaky.main, args=(word, dict(told.server.prefect), str(tmp_path)))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    process.close()
    kinds = cast(list[Json], told.site.post("block_types/filter", block_types={"name": {"like_": "Secret"}}))
    (kind,) = [one for one in kinds if one["slug"] == "secret"]
    schemas = cast(
        list[Json],
        told.site.post("block_schemas/filter", block_schemas={"block_type_id": {"any_": [kind["id"]]}}),
    )
    told.site.post(
        "block_documents/",
        name="planted",
        data={"value": word},
        block_schema_id=schemas[0]["id"],
        block_type_id=kind["id"],
    )

    def found() -> bool:
        places = {hit.place for hit in scan.in_database(scanner, url)}
        return LEAKY | {"block planted"} <= places

    until(found, "every leak found")
    assert any("storage" in hit.place for hit in scanner.in_folder(told.server.folder))
