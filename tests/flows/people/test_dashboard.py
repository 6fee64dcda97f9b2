"""What the dashboard shows of a run: its name, its tags, how it ended, its artifacts; no patient in any."""

import json
from collections.abc import Callable
from typing import cast

import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.probe import Faults, Scripted
from flows.alerts import WORKED
from flows.report import WAITING
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.people.deployed import Json, call
from tests.prefect_api import last_begun


def artifacts(practice: Practice, flow_run: object) -> dict[str, str]:
    asked: Json = {"artifacts": {"flow_run_id": {"any_": [str(flow_run)]}}}
    found = cast(list[Json], call(practice.prefect, "/artifacts/filter", asked))
    return {str(one["key"]): f"{one['data']} {one['description']}" for one in found}


def test_a_run_is_named_tagged_and_told_in_artifacts(
    here: Practice, flood: Callable[[str], list[str]]
) -> None:
    assert here.run() == 0
    flood("Secretname")

    assert here.run() == 3

    run = last_begun(here.prefect["PREFECT_API_URL"])
    ((number,),) = here.ledger("SELECT id FROM run ORDER BY started DESC LIMIT 1")
    assert run["name"] == f"acme/simple changes {number}"
    mine = [f"environment:{here.env}", "ferry", "integration:simple", "kind:changes", "mode:live"]
    assert run["tags"] == [*mine, f"run:{number}", "tenant:acme"]
    assert run["state_name"] == "Held" and run["state_name"] in WAITING
    assert "ferry release acme/simple" in str(cast(Json, run["state"])["message"])
    made = artifacts(here, run["id"])
    keys = ("report", "counts", "open", "trend", "progress")
    assert set(made) == {f"acme-simple-{key}" for key in keys}
    assert "deliveries held" in made["acme-simple-open"] and "too_many_writes" in made["acme-simple-open"]
    assert "`ferry review acme/simple --live`" in made["acme-simple-report"]
    assert f"[this run](http://127.0.0.1:8490/writes?run={number})" in made["acme-simple-report"]
    assert "the last 2 runs" in made["acme-simple-trend"]
    assert "Secretname" not in json.dumps(made) + json.dumps(run)
    assert "ana@example.com" not in json.dumps(made) + json.dumps(run)


def test_a_run_that_changed_nothing_is_complete(here: Practice) -> None:
    assert here.run() == here.run() == 0

    run = last_begun(here.prefect["PREFECT_API_URL"])
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "Complete")
    assert "nothing is open" in artifacts(here, run["id"])["acme-simple-open"]


def test_a_run_says_whose_it_is_before_it_opens_anything(here: Practice) -> None:
    here.label = "acme/nothing"

    assert here.run() == 1

    run = last_begun(here.prefect["PREFECT_API_URL"])
    assert (run["state_type"], run["tags"]) == ("FAILED", [f"environment:{here.env}"])


def test_a_dry_run_is_no_sign_that_anything_arrives(here: Practice) -> None:
    assert ferry(here, "run", "acme/simple", "--dry-run").code == 0

    run = last_begun(here.prefect["PREFECT_API_URL"])
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "DryRun")
    assert run["state_name"] not in WORKED


def test_a_target_that_holds_something_else_makes_the_run_red(here: Practice) -> None:
    assert here.run() == 0
    engine = sa.create_engine(f"sqlite:///{here.folder / 'warehouse.db'}", poolclass=sa.NullPool)
    spoil = (
        "CREATE TRIGGER spoil AFTER UPDATE ON patients WHEN NEW.full_name <> 'x' BEGIN "
        "UPDATE patients SET full_name = 'x' WHERE patient_id = NEW.patient_id; END"
    )
    with engine.begin() as connection:
        connection.execute(sa.text(spoil))
    here.healthie.edit("User", here.healthie.ids()[0], last_name="Spoilt")

    assert here.run() == 1

    run = last_begun(here.prefect["PREFECT_API_URL"])
    assert (run["state_type"], run["state_name"]) == ("FAILED", "Red")
    assert str(cast(Json, run["state"])["message"]).startswith("read_back_differs: acme/simple, run r")


@pytest.mark.parametrize(("refused", "name"), [(6, "Refusals"), (0, "Complete")])
def test_an_unusual_share_of_refusals_has_a_state_of_its_own(
    practice: Callable[[str], Practice], refused: int, name: str
) -> None:
    made = practice("refusals")
    for one in made.healthie.ids():
        made.healthie.apply([Edit(act="restore", id=one)])
    if refused:
        made.probe.set_faults(
            Faults(script=tuple(Scripted(request=at, fault="all_refused") for at in range(1, 9)))
        )

    made.run()

    assert last_begun(made.prefect["PREFECT_API_URL"])["state_name"] == name
