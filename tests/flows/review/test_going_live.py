"""From a stage to live: the checklist, the review as text, and the approval that `ferry promote` writes."""

import re
from pathlib import Path

import pytest
import yaml

from tests.faults.terminal import Said, ferry
from tests.faults.world import Practice
from tests.flows.test_sync import LABEL, here

__all__ = ["here"]
GOLDEN = """\
shows: a patient with all that is read
today: 2026-03-02
entry: {first_name: Ana, last_name: Example, email: a@example.com, metadata: {channel: friend}, active: true}
plan:
  calls:
    - op: warehouse_upsert_patients
      because: [S1]
      arguments: {full_name: Ana Example, email: a@example.com, channel: friend}
"""
LEFT = """\
shows: without a last name a person looks
today: 2026-03-02
entry: {first_name: Ana, last_name: null, email: null, metadata: null, active: true}
plan: {kind: review, because: [S2], reason: no_name}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deployments" / LABEL


def promote(practice: Practice, *arguments: str) -> Said:
    return ferry(practice, "promote", LABEL, *arguments)


def opened(said: Said) -> dict[str, list[str]]:
    """What is open of each point."""
    found: dict[str, list[str]] = {}
    for line in said.out.splitlines():
        begun = re.fullmatch(r"(open|done)  ([a-z ]+?)(: .*)?", line)
        if begun and begun[1] == "open":
            found[begun[2]] = []
        elif line.startswith("      ") and found:
            found[list(found)[-1]].append(line.strip())
    return found


def test_it_goes_live_when_no_point_is_open_and_not_before(here: Practice, folder: Path) -> None:
    never = promote(here)
    assert never.code == 1 and "was never staged" in opened(never)["changes"][0]
    assert here.run(TEST_MODE="staging") == 0

    first = promote(here, "--author", "Ana", "--approver", "Ben")
    assert first.code == 1 and "points of the checklist are open" in first.err
    assert set(opened(first)) == {"golden set", "lint", "branches", "changes"} - _clean(here)
    assert not (folder / "approval.yaml").exists()

    _judge(here, "right")
    assert "changes" not in opened(promote(here))
    _show(here, folder)
    _judge(here, "wrong")
    assert set(opened(promote(here))) == {"changes"}  # no reason explains what is wrong
    _judge(here, "right")
    last = promote(here)
    assert opened(last) == {} and last.code == 0, last.out
    made = promote(here, "--author", "Ana", "--approver", "Ben")

    assert made.code == 0, made.err
    approval = yaml.safe_load((folder / "approval.yaml").read_text())
    assert (approval["author"], approval["approver"]) == ("Ana", "Ben")
    assert approval["reasons"] == {"S2": "everybody has a name here", "S1": "nobody lacks one"}
    assert not (folder / "reasons.yaml").exists()
    assert here.run() == 0  # as it was approved


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
            "Entries that wait for a person",
            "Deliveries that are held",
            "Questions",
            "Before it goes live",
        ]
        assert "5 planned writes" in said.out and "a person must decide (no_name)" in said.out
    assert "Ana Start1" in seen.out and f"patient {patient}: a person must decide" in seen.out
    assert "Start1" not in masked.out and f"patient {patient}" not in masked.out
    looked = "SELECT actor FROM audit WHERE act LIKE '%with their values'"
    assert len(here.ledger(looked)) == 2  # the writes and the entries that wait, once each


def _clean(practice: Practice) -> set[str]:
    """Nothing is wrong with the sentences as they are."""
    return {"lint"} if ferry(practice, "lint", LABEL).code == 0 else set()


def _show(practice: Practice, folder: Path) -> None:
    """Golden examples that are met, and a reason for each branch that no patient here takes."""
    (folder / "golden").mkdir()
    (folder / "golden" / "whole.yaml").write_text(GOLDEN)
    (folder / "golden" / "no-name.yaml").write_text(LEFT)
    (folder / "reasons.yaml").write_text("S2: everybody has a name here\nS1: nobody lacks one\n")
    tested = ferry(practice, "test", LABEL)
    assert tested.code == 0, tested.out + tested.err


def _judge(practice: Practice, verdict: str) -> None:
    key = practice.ledger("SELECT min(key) FROM delivery WHERE integration = 2")[0][0]
    said = ferry(practice, "mark", LABEL, str(key), verdict)
    assert said.code == 0, said.err
