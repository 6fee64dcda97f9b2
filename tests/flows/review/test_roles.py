"""Each command asks the role that its act needs; where nobody is named, held deliveries still find a word."""

from pathlib import Path

import pytest

from flows.review.door import NotAdmitted, admitted, approves
from flows.settings import PRODUCTION, Settings
from tests.faults.terminal import Said, ferry
from tests.faults.world import Practice
from tests.flows.test_sync import LABEL, here

__all__ = ["here"]
PEOPLE = "people: {Ana Reyes: approver, Ben: reviewer, Cleo: viewer}\n"
NO_APPROVER = "Ben may act as viewer or reviewer, and not as approver"


@pytest.fixture
def staged(here: Practice, tmp_path: Path) -> Practice:
    """One staged run of a practice that names its people. The machine's user is none of them."""
    tenant = tmp_path / "deployments" / "acme" / "tenant.yaml"
    tenant.write_text(tenant.read_text() + PEOPLE)
    assert here.run(TEST_MODE="staging") == 0
    return here


def refused(said: Said, why: str) -> bool:
    return said.code == 1 and why in said.err and said.out == "" and said.err.count("\n") == 1


def test_values_are_for_reviewers(staged: Practice) -> None:
    ((run,),) = staged.ledger("SELECT max(id) FROM run WHERE integration = 2")
    patient = staged.healthie.ids()[1]
    for command in (("diff", str(run)), ("explain", LABEL, patient, "--staging")):
        assert ferry(staged, *command).code == 0
        assert refused(ferry(staged, *command, "--values"), "it names Ana Reyes, Ben, Cleo; name one of")
        assert refused(ferry(staged, *command, "--values", "--person", "Cleo"), "Cleo may act as viewer, and")
        seen = ferry(staged, *command, "--values", "--person", "Ben")
        assert seen.code == 0 and "Ana Start1" in seen.out

    looked = staged.ledger("SELECT actor, act FROM audit WHERE act LIKE '%with%values%' ORDER BY seq")
    assert [str(actor) for actor, _ in looked] == ["person Ben", "person Ben"]


def test_only_an_approver_releases_and_approves(staged: Practice, tmp_path: Path) -> None:
    approval = tmp_path / "deployments" / LABEL / "approval.yaml"
    names = ("--author", "Dan", "--approver")

    assert refused(ferry(staged, "release", LABEL, "--staging", "--person", "Ben"), NO_APPROVER)
    assert refused(ferry(staged, "approve", LABEL, *names, "Ben"), NO_APPROVER)
    promoted = ferry(staged, "promote", LABEL, *names, "Ben")
    assert promoted.code == 1 and NO_APPROVER in promoted.err
    assert not approval.exists()

    assert ferry(staged, "release", LABEL, "--staging", "--person", "Ana Reyes").code == 0
    assert ferry(staged, "approve", LABEL, *names, "Ana Reyes").code == 0
    assert approval.exists()
    assert staged.ledger("SELECT actor FROM audit WHERE act LIKE 'a person released%'") == [
        ("person Ana Reyes",)
    ]


def test_where_nobody_is_named_production_shows_no_value_and_still_releases(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "tenant.yaml").write_text("connections: {}\n")
    production = Settings(env=PRODUCTION, deployments=tmp_path)

    approves(production, LABEL, "Dan")
    with pytest.raises(NotAdmitted, match=r"nobody may; add there: people: \{Dan: reviewer\}$"):
        admitted(production, LABEL, "Dan", "reviewer")
