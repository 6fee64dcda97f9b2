"""From a stage to live: the checklist, the review as text, and the approval that `ferry promote` writes."""

import re
from pathlib import Path

import pytest
import yaml

from flows.ledger import marks
from flows.ledger.marks import Verdict
from flows.opening import open_ledger
from flows.review import going_live
from flows.settings import Settings
from flows.tenants import load
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.test_sync import LABEL, here, rename

__all__ = ["here"]
WHOLE = """\
shows: a patient with all that is read
today: 2026-03-02
entry: {first_name: Ana, last_name: Example, email: a@example.com, metadata: {channel: friend}}
plan:
  calls:
    - op: warehouse_upsert_patients
      because: [S1]
      arguments: {full_name: Ana Example, email: a@example.com, channel: friend}
"""
NO_NAME = """\
shows: without a last name a person looks
today: 2026-03-02
entry: {first_name: Ana, last_name: null, email: null, metadata: null}
plan: {kind: review, because: [S2], reason: no_name}
"""


@pytest.fixture
def folder(here: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The integration's, with the practice's environment in this process, too."""
    for name, value in here.environment().items():
        monkeypatch.setenv(name, value)
    return tmp_path / "deployments" / LABEL


def opened() -> dict[str, str]:
    """What is open, by point."""
    settings = Settings()
    found = going_live.looked(settings, LABEL).points
    assert len({one.name for one in found}) == len(found) == 9
    return {one.name: "\n".join(one.open) for one in found if one.open}


def test_it_goes_live_when_no_point_is_open_and_not_before(here: Practice, folder: Path) -> None:
    assert "was never staged" in opened()["changes"]
    here.healthie.apply([rename(here.healthie.ids()[0], "Changed")])
    assert here.run(TEST_MODE="staging") == 0

    first = opened()
    assert set(first) == {"golden set", "lint", "branches", "changes"}
    assert "program.py:2: the condition never holds in 6 entries (S2); find one" in first["branches"]
    assert "warehouse_upsert_patients by S1, changed: 1 write, and nobody found one right" in first["changes"]
    refused = ferry(here, "promote", LABEL, "--author", "Ana", "--approver", "Ben")
    assert refused.code == 1 and "4 points of the checklist are open" in refused.err
    assert "open  lint" in refused.out and not (folder / "approval.yaml").exists()

    correct(here, folder)
    assert set(opened()) == {"changes"}  # under these instructions nothing was decided yet
    assert here.run("resync", TEST_MODE="staging") == 0
    judge(here, "wrong")
    assert "1 marked wrong" in opened()["changes"]  # no reason explains what is wrong
    judge(here, "right")
    made = ferry(here, "promote", LABEL, "--author", "Ana", "--approver", "Ben")

    assert made.code == 0, made.out + made.err
    approval = yaml.safe_load((folder / "approval.yaml").read_text())
    assert (approval["author"], approval["approver"]) == ("Ana", "Ben")
    assert approval["reasons"] == {"S2": "everybody has a name here", "S1": "nobody lacks one"}
    assert not (folder / "reasons.yaml").exists()
    assert here.run() == 3  # as it was approved: other fields are read, so everybody changed, and waits


def test_what_a_target_may_not_hold_yet_is_open(here: Practice, folder: Path) -> None:
    tenant = folder.parent / "tenant.yaml"
    crm = "{connector: hubspot, settings: {token: $TEST_HEALTHIE_KEY}}"
    tenant.write_text(tenant.read_text().rstrip() + f"\n  crm: {crm}\n")
    path = folder / "integration.yaml"
    contacts = "tables: [{name: contacts, patient: ferry_id, columns: {email: {type: str, from: [email]}}}]"
    target = f"  crm:\n    connection: crm\n    categories: [contact]\n    {contacts}\n"
    path.write_text(path.read_text().replace("limits:", f"{target}limits:"))

    found = opened()

    assert "targets.crm: hubspot may hold" in found["agreements"] and "confirmed: {baa" in found["agreements"]


def test_the_review_is_there_as_text_with_values_only_for_who_may_see_them(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    here.healthie.edit("User", patient, last_name=None)
    assert here.run(TEST_MODE="staging") == 0

    seen = ferry(here, "review", LABEL, "--text")
    masked = ferry(here, "review", LABEL, "--text", "--as", "viewer")

    assert seen.code == masked.code == 0, seen.err + masked.err
    for said in (seen, masked):
        titles = re.findall(r"^== (.+)$", said.out, re.MULTILINE)
        assert titles == [
            "Overview",
            "Runs",
            "5 writes that nobody has judged yet",
            "1 entry without a write",
            "1 entry waits for a person",
            "Deliveries that are held",
            "Questions",
            "Before it goes live",
        ]
        assert "5 planned writes" in said.out and "a person must decide (no_name)" in said.out
    assert "Ana Start1" in seen.out and f"patient {patient}: a person must decide" in seen.out
    assert "Start1" not in masked.out and f"patient {patient}" not in masked.out
    looked = here.ledger("SELECT actor FROM audit WHERE act LIKE '%with their values'")
    assert len(looked) == 3  # the writes, the entries without one and those that wait, once each


def correct(practice: Practice, folder: Path) -> None:
    """Files that are right, examples that are met, and a reason for each branch that nobody here takes."""
    fields = folder / "fields.yaml"
    fields.write_text(fields.read_text().replace("S2: [active, last_name]", "S2: [last_name]"))
    program = folder / "program.py"
    program.write_text(program.read_text() + "\n# read by two people\n")
    (folder / "golden").mkdir()
    (folder / "golden" / "whole.yaml").write_text(WHOLE)
    (folder / "golden" / "no-name.yaml").write_text(NO_NAME)
    (folder / "reasons.yaml").write_text("S2: everybody has a name here\nS1: nobody lacks one\n")
    tested = ferry(practice, "test", LABEL)
    assert tested.code == 0, tested.out + tested.err


def judge(practice: Practice, verdict: Verdict) -> None:
    """Of the newest run's first write."""
    newest = "SELECT min(key) FROM delivery WHERE run = (SELECT max(id) FROM run WHERE integration = 2)"
    ((key,),) = practice.ledger(newest)
    settings = Settings()
    ledger = open_ledger(settings, load(settings.deployments, LABEL), "staging")
    marks.put(ledger, str(key), verdict, "", "Ana")
    ledger.close()
