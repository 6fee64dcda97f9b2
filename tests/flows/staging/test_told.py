"""What a person reads of a staged run: what would arrive, never that something did."""

import sqlite3
from contextlib import closing

from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.staging.test_stage import staged
from tests.flows.test_sync import LABEL, here

__all__ = ["here"]


def said(practice: Practice, *arguments: str) -> str:
    found = ferry(practice, *arguments)
    assert found.code == 0, found.err
    return found.out


def test_nothing_of_a_staged_run_is_told_as_if_it_were_live(here: Practice) -> None:
    run = said(here, "run", LABEL, "--staging")
    status = said(here, "status", LABEL, "--staging")
    explained = said(here, "explain", LABEL, here.healthie.ids()[0], "--staging")

    for told in (run, status, explained):
        assert " arrived" not in told and ": delivered" not in told
    assert "6  done               would arrive, if it were live" in run
    assert "6  read back          of those that would arrive, compared with the stage: the same" in run
    assert "6 deliveries in all, 6 would arrive" in status
    assert "by S1: would be delivered" in explained


def test_what_is_open_in_a_stage_names_the_stages_own_commands(here: Practice) -> None:
    assert staged(here) == 0
    states = ["planned", "sent", "unknown", "held", "rejected"]
    with closing(sqlite3.connect(here.folder / "ledger.db")) as connection:
        mine = "SELECT key FROM delivery WHERE integration = 2 ORDER BY key"
        keys = [key for (key,) in connection.execute(mine)]
        for key, state in zip(keys, states, strict=False):
            connection.execute("UPDATE delivery SET state = ? WHERE key = ?", (state, key))
        connection.commit()

    status = said(here, "status", LABEL, "--staging")

    for line in (
        f"1 planned: to be staged: the next staged run, or ferry retry {LABEL} --staging",
        "1 sent: cut off: the next staged run goes on with it",
        f"1 held: wait for a person: ferry release {LABEL} --staging, or with --discard",
        f"put it right there, then ferry retry {LABEL} --staging --rejected",
    ):
        assert line in status
