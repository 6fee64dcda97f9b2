"""A stage's life at the command line, on both ledgers: what each command says of it, and of what is live."""

from typing import cast

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.campaign import FULL
from tests.faults.conftest import LEDGERS
from tests.faults.terminal import Said, ferry
from tests.faults.world import Practice
from tests.flows.staging.test_stage import staged, warehouse
from tests.flows.test_sync import LABEL, counts, here, rename

__all__ = ["here"]

pytestmark = pytest.mark.parametrize("ledger", LEDGERS if FULL else ["postgresql"], indirect=True)
STAGES = "SELECT number, destroyed IS NULL FROM stage ORDER BY number"
LATEST = "SELECT id FROM run ORDER BY started DESC LIMIT 1"


def said(practice: Practice, *arguments: str) -> Said:
    answer = ferry(practice, *arguments)
    assert answer.code == 0, answer.err
    return answer


def test_every_command_knows_the_stage(here: Practice) -> None:
    before, patient = warehouse(here), here.healthie.ids()[0]
    assert ferry(here, "explain", LABEL, patient, "--staging").err.startswith(
        f"ferry: {LABEL}: was never staged; begin with: ferry run {LABEL} --staging"
    )
    assert staged(here) == 0
    here.healthie.apply([rename(patient, "Tried")])
    assert staged(here) == 0
    ((run,),) = here.ledger(LATEST)

    status = said(here, "status", LABEL).out
    explained = said(here, "explain", LABEL, patient, "--staging", "--values").out
    replayed = said(here, "replay", str(run)).out
    audited = said(here, "audit", "show", LABEL, "--staging").out

    assert f"{LABEL}: run " in status and f"{LABEL}, staging: run {run} (changes) complete" in status
    assert f"then its data is destroyed. More time: ferry stage {LABEL}" in status
    assert f"in {LABEL}, staging; version 2" in explained and '"Ana Tried"' in explained
    assert "Tried" not in said(here, "explain", LABEL, patient, "--values").out  # live knows nothing of it
    assert replayed.startswith(f"{LABEL}, staging, run {run} with the files as they are")
    assert "       1  decided as they were, byte for byte" in replayed
    assert "simple.staging #" in audited and "stage begins" in audited
    assert audited.count("run begins") == 2
    assert said(here, "audit", "verify").out.startswith("audit: whole")
    assert warehouse(here) == before


def test_what_a_stage_holds_is_let_go_into_the_stage(here: Practice) -> None:
    before = warehouse(here)
    assert staged(here) == 0
    for at, one in enumerate(here.healthie.ids()):
        here.healthie.apply([rename(one, f"Held{at}")])
    run = ferry(here, "run", LABEL, "--staging")
    assert run.code == 3 and f"ferry release {LABEL} --staging, or with --discard" in run.out

    released = said(here, "release", LABEL, "--staging")

    assert f"{LABEL}, staging, run r" in released.out
    assert (counts(here)["released"], counts(here)["outcome_done"]) == (6, 6)
    assert warehouse(here) == before
    assert here.ledger("SELECT count(*) FROM staged") == [(6,)]


def test_a_stage_is_ended_and_begins_anew_and_goes_with_its_tenant(here: Practice) -> None:
    assert staged(here) == 0
    more = ("--until", "2999-01-01", "--by", "Ana", "--reason", "a second look")
    assert "until 2999-01-01" in said(here, "stage", LABEL, *more).out

    assert "its data is destroyed" in said(here, "stage", LABEL, "--end").out

    assert here.ledger(STAGES) == [(1, False)]
    assert here.ledger("SELECT count(*) FROM staged") == [(0,)]
    assert ferry(here, "run", LABEL, "--staging").err.startswith(f"ferry: {LABEL}: staging ended on ")
    assert f"{LABEL}: staging ended on " in said(here, "status", LABEL).out
    assert "until 2999-01-01" in said(here, "stage", LABEL, *more).out
    assert staged(here) == 0
    assert counts(here)["planned"] == counts(here)["delivery_done"] == 6
    assert here.ledger(STAGES) == [(1, False), (2, True)]
    said(here, "forget", "acme", "--yes")
    assert here.ledger(STAGES) == [(1, False), (2, False)]
    assert {bytes(cast(bytes, one)) for (one,) in here.ledger("SELECT wrapped FROM data_key")} == {b""}


def test_a_retry_in_the_stage_leaves_what_is_live_alone(here: Practice) -> None:
    assert staged(here) == 0
    here.healthie.apply([Edit(id=here.healthie.ids()[0], values={"email": "new@example.com"})])

    retried = said(here, "retry", LABEL, "--staging")

    assert f"{LABEL}, staging, run r" in retried.out
    assert here.ledger("SELECT count(*) FROM run WHERE kind = 'retry' AND integration = 1") == [(0,)]
