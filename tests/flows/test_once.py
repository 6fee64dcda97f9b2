"""What cannot be taken back leaves once: after the window of a key, after a resync, under other grants."""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.probe import Faults
from connectors.sandbox.probe.faults import Scripted
from tests.faults.test_kill_at_every_point import rename
from tests.faults.world import DEPLOYMENTS, Practice

Make = Callable[[str], Practice]
ONCE = ("keyed_charge", "create_order", "send_event")


def with_files(made: Practice, folder: Path, file: str, old: str, new: str) -> None:
    """The practice with files of its own, in which one text is another."""
    copied = folder / "deployments"
    if not copied.exists():
        shutil.copytree(DEPLOYMENTS, copied)
    path = copied / "acme" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    made.extra = {**made.extra, "FERRY_DEPLOYMENTS": str(copied)}


def acts(made: Practice) -> Counter[str]:
    """How often each act that cannot be taken back arrived, by patient."""
    return Counter(f"{one.operation} {one.patient}" for one in made.probe.effects() if one.operation in ONCE)


def test_a_resync_repeats_no_charge_order_or_event(practice: Make) -> None:
    here = practice("resync")
    expected = rename(here, "Once")
    assert here.run() == 0
    before = acts(here)

    assert here.run("resync") == 0

    assert len(expected) * len(ONCE) <= sum(before.values())
    assert acts(here) == before
    assert here.ledger("SELECT DISTINCT state, code FROM delivery WHERE code = 'sent_before'") == [
        ("superseded", "sent_before")
    ]


def test_an_edit_repeats_only_what_it_changes(practice: Make) -> None:
    here = practice("edit")
    patient = next(iter(rename(here, "Edited")))
    assert here.run() == 0
    before = acts(here)
    here.healthie.apply([Edit(id=patient, values={"email": "other@example.com"})])

    assert here.run() == 0

    assert acts(here) == before
    contacts = [one for one in here.probe.effects() if one.operation == "upsert_contact"]
    assert contacts[-1].arguments["email"] == "other@example.com"


def test_a_charge_whose_window_is_over_is_looked_for_before_it_is_sent_again(
    practice: Make, tmp_path: Path
) -> None:
    here = practice("window")
    with_files(here, tmp_path, "tenant.yaml", 'horizon: "0.6"', 'horizon: "0.6", window: "1.5"')
    before = acts(here)
    expected = rename(here, "Window")
    unanswered = (Scripted(request=1, fault="502_after"),)
    away = tuple(Scripted(request=number, fault="429") for number in range(2, 80))
    here.probe.set_faults(Faults(script=unanswered + away, window=1.5))
    here.run()
    time.sleep(1.5)  # as long as the target remembers the key
    here.probe.set_faults(Faults(window=1.5))

    codes = here.until_settled()

    charges = acts(here) - before
    assert codes[-1] == 0
    assert {charges[f"keyed_charge {one}"] for one in expected} == {1}


def test_what_left_under_grants_that_were_withdrawn_waits_for_a_person(
    practice: Make, tmp_path: Path
) -> None:
    here = practice("withdrawn")
    here.label = "acme/simple"
    patient = here.healthie.ids()[0]
    for one in here.healthie.ids():
        here.healthie.apply([Edit(act="restore", id=one), Edit(id=one, values={"last_name": "Known"})])
    assert here.run() == 0
    here.healthie.apply([Edit(id=patient, values={"email": "must-not-go@example.com"})])
    assert here.run(FERRY_CRASH_AT="send") == -9  # noted as sent, and nobody knows whether it left
    with_files(here, tmp_path, "simple/integration.yaml", "email: {type: str, from: [email]}", "")
    with_files(here, tmp_path, "simple/program.py", 'email=entry.get("email", MISSING), ', "")

    assert here.run() == 3

    assert here.ledger("SELECT state, code FROM delivery WHERE state != 'done'") == [
        ("held", "policy_changed")
    ]
