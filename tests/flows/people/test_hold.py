"""A person's word on what the breaker holds: in the dashboard's form or at the command line, once."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import cast

import pytest
import sqlalchemy as sa

from flows.ledger.audit import person
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.people.deployed import Deployed, Json, call, deploy

LABEL = "acme/simple"
Flood = Callable[[str], list[str]]
HELD = "SELECT count(*) FROM delivery WHERE state = 'held'"
ACTORS = "SELECT DISTINCT actor FROM audit WHERE act LIKE 'a person%'"
ACTS = "SELECT act, count FROM audit WHERE act LIKE 'a person%' ORDER BY seq"


@pytest.fixture
def deployed(here: Practice, request: pytest.FixtureRequest) -> Deployed:
    """Carried once, and deployed."""
    assert here.run() == 0
    return deploy(here, f"acme-simple-{request.node.name}"[:80])


def state(run: Json) -> tuple[object, object]:
    return run["state_type"], run["state_name"]


def test_a_run_that_held_asks_a_person_and_goes_on_with_the_answer(deployed: Deployed, flood: Flood) -> None:
    here, before = deployed.practice, deployed.practice.rows()
    wanted = flood("Flood")

    run = deployed.run()

    assert state(run) == ("PAUSED", "Suspended")
    assert here.rows() == before
    assert here.ledger("SELECT state, code FROM run ORDER BY started DESC LIMIT 1") == [
        ("incomplete", "held")
    ]
    assert waits(run) == pytest.approx(timedelta(days=7), abs=timedelta(minutes=2))
    assert_the_form_names_counts_only(here.prefect, str(run["id"]))
    assert deployed.resume(str(run["id"])) == "REJECT"
    assert deployed.resume(str(run["id"]), decision="maybe") == "REJECT"
    assert deployed.resume(str(run["id"]), decision="release", note="for Ana Flood0") == "REJECT"

    assert deployed.resume(str(run["id"]), decision="release") == "ACCEPT"
    run = deployed.execute(str(run["id"]))

    assert state(run) == ("COMPLETED", "Complete")
    assert sorted(here.rows().values()) == wanted
    assert here.ledger(ACTS) == [("a person released what was held", 6)]
    assert here.ledger(ACTORS) == [("person in the dashboard",)]
    sent = "SELECT actor LIKE 'run %' FROM audit WHERE act = 'deliveries sent' ORDER BY seq DESC LIMIT 1"
    assert here.ledger(sent) == [(1,)]
    assert here.ledger("SELECT max(attempts) FROM delivery") == [(1,)]


def test_what_is_discarded_is_not_delivered_by_any_later_run(deployed: Deployed, flood: Flood) -> None:
    here, before = deployed.practice, deployed.practice.rows()
    flood("Dropped")
    run = str(deployed.run()["id"])

    assert deployed.resume(run, decision="discard") == "ACCEPT"
    ended = deployed.execute(run)

    assert state(ended) == ("COMPLETED", "Complete")
    assert here.run() == here.run("sweep") == 0
    assert here.rows() == before
    assert here.ledger(ACTS) == [("a person discarded what was held", 6)]
    assert here.ledger("SELECT DISTINCT state, code FROM delivery WHERE version = 2") == [
        ("superseded", "discarded")
    ]


def test_the_word_is_about_what_was_held_when_it_was_asked(deployed: Deployed, flood: Flood) -> None:
    here = deployed.practice
    flood("First")
    run = str(deployed.run()["id"])
    flood("Second")
    assert here.run() == 3  # nobody was asked about these yet

    deployed.resume(run, decision="release")
    ended = deployed.execute(run)

    assert state(ended) == ("COMPLETED", "Held")
    assert here.ledger(HELD) == [(6,)]
    assert here.ledger(ACTS) == [("a person released what was held", 0)]
    assert not any("Second" in name or "First" in name for name in here.rows().values())


def test_a_flow_run_whose_holds_were_settled_elsewhere_finds_nothing_to_do(
    deployed: Deployed, flood: Flood
) -> None:
    here = deployed.practice
    wanted = flood("Elsewhere")
    run = str(deployed.run()["id"])
    assert ferry(here, "release", LABEL).code == 0
    rows = here.rows()
    assert sorted(rows.values()) == wanted

    deployed.resume(run, decision="discard")
    ended = deployed.execute(run)

    assert state(ended) == ("COMPLETED", "Complete")
    assert here.rows() == rows
    assert here.ledger(ACTS)[-1] == ("a person discarded what was held", 0)
    assert here.ledger("SELECT count(*) FROM delivery WHERE code = 'discarded'") == [(0,)]


def test_after_its_time_the_form_is_gone_and_the_deliveries_stay_held(
    here: Practice, flood: Flood, tmp_path: Path
) -> None:
    files = shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    described = files / LABEL / "integration.yaml"
    described.write_text(described.read_text().replace("share: 0.1}", "share: 0.1, decide_within: PT1S}"))
    here.extra = {"FERRY_DEPLOYMENTS": str(files)}
    assert here.run() == 0
    deployed = deploy(here, "acme-simple-late")
    wanted = flood("Late")
    run = str(deployed.run()["id"])

    sleep(1.1)  # the form's own time: there is no event to wait for
    assert deployed.resume(run, decision="release") in (
        "REJECT",
        "ABORT",
    )  # the server's own clean-up may be first

    assert deployed.flow_run(run)["state_type"] in ("FAILED", "PAUSED")
    assert here.ledger(HELD) == [(6,)]
    assert ferry(here, "release", LABEL).code == 0
    assert sorted(here.rows().values()) == wanted


def test_without_a_deployment_nothing_suspends_and_the_report_says_the_command(
    here: Practice, flood: Flood
) -> None:
    assert here.run() == 0
    flood("Terminal")

    run = ferry(here, "run", LABEL)

    assert run.code == 3
    assert "ferry release acme/simple, or with --discard" in run.out
    assert here.ledger(HELD) == [(6,)]


def test_the_command_line_discards_too(here: Practice, flood: Flood) -> None:
    assert here.run() == 0
    before = here.rows()
    flood("Gone")
    assert here.run() == 3

    said = ferry(here, "release", LABEL, "--discard")

    assert said.code == 0, said.err
    assert "had been held: a person dropped them" in said.out
    assert here.ledger(ACTORS) == [(person(),)]
    assert here.rows() == before
    assert here.ledger(HELD) == [(0,)]


def test_plans_of_another_policy_go_out_once_a_person_says_so(here: Practice, flood: Flood) -> None:
    wanted = flood("Policy")
    assert here.run() == 0
    engine_sets_policy = "UPDATE delivery SET state = 'held', code = 'policy_changed', settled = NULL"
    write(here, engine_sets_policy)
    write(here, "UPDATE plan SET policy = 'another'")
    write(here, "DELETE FROM cursor")

    assert ferry(here, "release", LABEL).code == 0

    assert here.ledger(HELD) == [(0,)]
    assert sorted(here.rows().values()) == wanted


def waits(run: Json) -> timedelta:
    """How long the form waits from now on."""
    details = cast(Json, cast(Json, run["state"])["state_details"])
    return datetime.fromisoformat(str(details["pause_timeout"])) - datetime.now(UTC)


def write(here: Practice, statement: str) -> None:
    engine = sa.create_engine(f"sqlite:///{here.folder / 'ledger.db'}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))


def assert_the_form_names_counts_only(prefect: Mapping[str, str], run: str) -> None:
    asked: Json = {"prefix": "suspended-", "limit": 10, "exclude_keys": []}
    found = call(prefect, f"/flow_runs/{run}/input/filter", asked)
    assert isinstance(found, list)
    kept = "".join(str(one) for one in found)
    assert "6 deliveries wait for a person" in kept and "6 too_many_writes: more in one run" in kept
    assert "Flood" not in kept and "@example.com" not in kept
