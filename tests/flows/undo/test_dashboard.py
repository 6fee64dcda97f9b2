"""An undo that a person starts from the dashboard, with the deployment's own parameters."""

from tests.faults.world import Practice
from tests.flows.people.conftest import flood, here
from tests.flows.people.deployed import Deployed, Json, call, deploy
from tests.flows.people.test_hold import state
from tests.flows.test_sync import rename
from tests.flows.undo.test_cut_off import last_run

__all__ = ["flood", "here"]


def asked(deployed: Deployed, **parameters: object) -> Json:
    """A flow run with these parameters, executed."""
    tenant, integration = deployed.practice.label.split("/")
    given = {"integration": {"tenant": tenant, "integration": integration, **parameters}}
    body = {"state": {"type": "SCHEDULED"}, "parameters": given}
    made = call(deployed.practice.prefect, f"/deployments/{deployed.id}/create_flow_run", body)  # type: ignore[arg-type]  # JSON
    return deployed.execute(str(dict(made)["id"]))  # type: ignore[arg-type]  # an object


def test_a_person_undoes_a_run_from_the_dashboard(here: Practice) -> None:
    assert here.run() == 0
    before, patient = here.rows(), here.healthie.ids()[0]
    here.healthie.apply([rename(patient, "Bad")])
    assert here.run() == 0
    deployed, run = deploy(here, "acme-simple-undo"), last_run(here)

    looked = asked(deployed, kind="undo", run=run, dry_run=True)

    assert state(looked) == ("COMPLETED", "DryRun")
    assert "1 values would be put back" in str(dict(looked["state"])["message"])  # type: ignore[arg-type]  # likewise
    assert here.rows()[patient] == "Ana Bad"

    done = asked(deployed, kind="undo", run=run)

    assert state(done) == ("COMPLETED", "Complete")
    assert here.rows() == before
    acts = "SELECT actor FROM audit WHERE act = 'plans journalled' ORDER BY seq DESC LIMIT 1"
    assert here.ledger(acts) == [("person in the dashboard",)]
