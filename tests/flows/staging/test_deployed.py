"""Staging from the dashboard: a deployment of its own beside the live one, and what it shows there."""

import json
from datetime import timedelta

import pytest

from tests.faults.world import Practice
from tests.flows.people.deployed import Deployed, deploy
from tests.flows.people.test_dashboard import artifacts
from tests.flows.staging.test_stage import _move_end, warehouse
from tests.flows.test_sync import here, rename

__all__ = ["here"]

KEYS = ("report", "counts", "open", "trend", "progress")
HELD = (
    "SELECT i.name, d.state, count(*) FROM delivery d JOIN integration i ON i.id = d.integration "
    "WHERE d.version > 1 GROUP BY i.name, d.state ORDER BY i.name"
)


@pytest.fixture
def staged(here: Practice, request: pytest.FixtureRequest) -> Deployed:
    """Live it was carried once; staging is deployed."""
    return deploy(here, f"acme-simple-staging-{request.node.name}"[:80], "staging")


def everyone(practice: Practice, name: str) -> None:
    practice.healthie.apply([rename(one, f"{name}{at}") for at, one in enumerate(practice.healthie.ids())])


def test_both_run_side_by_side_and_neither_knows_of_the_other(staged: Deployed) -> None:
    here, live = staged.practice, deploy(staged.practice, "acme-simple-beside")
    tried = staged.run()
    before = warehouse(here)
    here.healthie.apply([rename(here.healthie.ids()[0], "Beside")])

    second = staged.run()
    unchanged = warehouse(here)
    carried = live.run()

    assert [one["state_name"] for one in (tried, second, carried)] == ["Complete"] * 3
    assert unchanged == before != warehouse(here)
    assert str(second["name"]).startswith("acme/simple staging changes r")
    assert "mode:staging" in str(second["tags"]) and "mode:live" in str(carried["tags"])
    shown = artifacts(here, second["id"])
    assert set(shown) == {f"acme-simple-staging-{key}" for key in KEYS}
    assert set(artifacts(here, carried["id"])) == {f"acme-simple-{key}" for key in KEYS}
    assert "acme/simple, staging: the last 2 runs" in shown["acme-simple-staging-trend"]
    assert "| would arrive |" in shown["acme-simple-staging-trend"]
    assert "arrived" not in json.dumps(shown)
    assert "Beside" not in json.dumps([shown, second])


def test_after_its_days_the_flow_run_fails_with_the_one_line(staged: Deployed) -> None:
    here = staged.practice
    assert staged.run()["state_name"] == "Complete"
    _move_end(here, -timedelta(seconds=1))

    over, again = staged.run(), staged.run()

    for one in (over, again):
        assert (one["state_type"], one["state_name"]) == ("FAILED", "Failed")
        message = str(json.loads(json.dumps(one["state"]))["message"])
        assert message.count("\n") == 0 and message.split("stage_over: ", 1)[1].startswith(
            "acme/simple: staging ended on "
        )
        assert message.endswith(
            "its data is destroyed. Go live: ferry promote acme/simple; or agree on more: "
            "ferry stage acme/simple --until DATE"
        )
    assert here.ledger("SELECT count(*) FROM audit WHERE act LIKE 'data of the stage%'") == [(1,)]
    assert here.run() == 0


def test_what_a_stage_holds_is_decided_in_its_own_form(staged: Deployed) -> None:
    here, before = staged.practice, warehouse(staged.practice)
    assert staged.run()["state_name"] == "Complete"
    everyone(here, "Held")

    asked = staged.run()

    assert (asked["state_type"], asked["state_name"]) == ("PAUSED", "Suspended")
    assert here.ledger(HELD) == [("simple.staging", "held", 6)]
    assert staged.resume(str(asked["id"]), decision="release") == "ACCEPT"
    ended = staged.execute(str(asked["id"]))
    assert (ended["state_type"], ended["state_name"]) == ("COMPLETED", "Complete")
    assert here.ledger(HELD) == [("simple.staging", "done", 6)]
    assert warehouse(here) == before
