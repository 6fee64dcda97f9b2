"""A person's word on what waits: noted, sealed, in the audit as theirs, and taken by the next run."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger import entries, holds, lease, waiting, words
from flows.ledger.lease import LeaseHeld
from flows.ledger.store import Ledger
from flows.ledger.verify import first_finding
from flows.review import acts
from flows.review.acts import NotDecided
from flows.run import new_id, version_of
from flows.settings import Settings
from flows.tenants import Deployment
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.ledgers import open_at
from tests.flows.review.decided import REFUSED, key_of, ref_of, stage
from tests.flows.test_sync import Make, column, counts

Stage = tuple[Settings, Deployment, Ledger]
REVIEWED = "two-primaries"
WHY = "her sister's policy was entered twice"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


def audit(ledger: Ledger, act: str) -> list[tuple[object, ...]]:
    query = sa.text("SELECT actor, count FROM audit WHERE act LIKE :act ORDER BY at")
    with ledger.reading() as connection:
        return [tuple(row) for row in connection.execute(query, {"act": f"%{act}%"})]


def test_an_entry_that_is_left_waits_no_more_and_its_reason_is_sealed(there: Stage, tmp_path: Path) -> None:
    _, _, ledger = there
    ref = ref_of(ledger, REVIEWED)
    assert [one.patient for one in waiting.page(ledger, 10)] == [REVIEWED]

    acts.leave(ledger, ref, WHY, "Ana")

    assert waiting.number(ledger) == 0
    known = entries.known(ledger, [REVIEWED])[REVIEWED]
    assert (known.state, known.code, known.version) == ("skipped", acts.LEFT, 2)
    word = words.of(ledger, [ref])[ref]
    assert (word.verdict, word.reason, word.by) == ("leave", WHY, "Ana")
    assert audit(ledger, "word on an entry: leave") == [("person Ana", 1)]
    assert WHY.encode() not in (tmp_path / "ledger.db").read_bytes()
    assert first_finding(ledger) is None


def test_an_entry_that_is_to_be_decided_again_is_taken_by_the_next_run(there: Stage) -> None:
    _, deployment, ledger = there
    today, here = date(2026, 3, 2), version_of(deployment)
    before = set(entries.to_try_again(ledger, today, here))

    acts.again(ledger, ref_of(ledger, REVIEWED), WHY, "Ana")

    assert set(entries.to_try_again(ledger, today, here)) - before == {REVIEWED}
    assert waiting.number(ledger) == 1  # until it is decided


def test_a_word_needs_a_reason_and_an_entry_that_waits(there: Stage) -> None:
    _, deployment, ledger = there

    with pytest.raises(NotDecided, match="say why"):
        acts.leave(ledger, ref_of(ledger, REVIEWED), " ", "Ana")
    with pytest.raises(NotDecided, match="does not wait"):
        acts.again(ledger, ref_of(ledger, "whole-row"), WHY, "Ana")
    with pytest.raises(NotDecided, match="no sentence asks"):
        acts.answer(deployment, ledger, ref_of(ledger, REVIEWED), "leave", WHY, "Ana")
    assert audit(ledger, "word on an entry") == []


def test_held_deliveries_are_released_or_dropped_and_stay_of_their_run(there: Stage) -> None:
    _, _, ledger = there
    assert holds.by_code(ledger) == {"too_many_creates": len(REFUSED)}
    go, drop = (key_of(ledger, patient) for patient in REFUSED)

    assert acts.settle(ledger, [go], "Ana", go=True) == 1
    assert acts.settle(ledger, [drop], "Ana", go=False) == 1
    assert acts.settle(ledger, [go, drop], "Ana", go=False) == 0  # neither is held any more

    query = sa.text("SELECT state, code, released IS NOT NULL, run FROM delivery WHERE key IN (:a, :b)")
    with ledger.reading() as connection:
        found = {tuple(row) for row in connection.execute(query, {"a": go, "b": drop})}
    run = "r20261128120000aaaaaa"
    assert found == {("planned", "", 1, run), ("superseded", "discarded", 0, run)}
    assert audit(ledger, "released some") == [("person Ana", 1)]


def test_nothing_is_decided_while_a_run_goes(
    there: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, ledger = there
    monkeypatch.setattr(acts, "PATIENCE", 0.0)
    other = open_at(
        f"sqlite:///{tmp_path / 'ledger.db'}",
        tmp_path / "keys",
        ledger.name,
        tenant="demo",
        environment="local",
        key="demo/warehouse.staging.1",
    )
    lease.take(other, new_id())

    with pytest.raises(LeaseHeld):
        acts.leave(ledger, ref_of(ledger, REVIEWED), WHY, "Ana")

    other.close()
    assert waiting.number(ledger) == 1


def test_what_a_person_judges_is_what_the_next_run_decides_by(practice: Make, tmp_path: Path) -> None:
    made = _without_a_judge(practice, tmp_path)
    assert made.run() == 0
    assert counts(made)["review"] == len(made.healthie.ids()) and made.rows() == {}
    patient, other = made.healthie.ids()[:2]
    deployment, ledger = _opened(made)

    with pytest.raises(NotDecided, match="there are: high, low"):
        acts.answer(deployment, ledger, ref_of(ledger, patient), "higher", WHY, "Ana")
    acts.answer(deployment, ledger, ref_of(ledger, patient), "high", WHY, "Ana")
    acts.again(ledger, ref_of(ledger, other), WHY, "Ana")
    ledger.close()
    assert made.run() == 0

    assert column(made, "priority") == {patient: "high"}
    assert counts(made)["planned"] == 1 and counts(made)["review"] == 1  # again is no answer
    made.healthie.edit("User", patient, last_name="Changed")
    assert made.run() == 0
    assert counts(made)["review"] == 1  # of the entry as it was then, and of no other


def _without_a_judge(practice: Make, tmp_path: Path) -> Practice:
    made = practice("judged")
    made.label = "acme/judged"
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    path = tmp_path / "deployments" / "acme" / "judged" / "integration.yaml"
    kept = ("judge:", "connection: model", "privacy:", "reveal:")
    lines = [line for line in path.read_text().splitlines() if not line.strip().startswith(kept)]
    path.write_text("\n".join(lines))
    made.extra = {"FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
    for one in made.healthie.ids():
        made.healthie.edit("User", one, active=True, first_name="Ana", last_name="Start")
    return made


def _opened(made: Practice) -> tuple[Deployment, Ledger]:
    from flows.opening import open_ledger  # noqa: PLC0415
    from flows.tenants import load  # noqa: PLC0415

    settings = Settings(
        home=made.folder, env=made.env, ledger_url=made.url, deployments=Path(made.extra["FERRY_DEPLOYMENTS"])
    )
    deployment = load(settings.deployments, made.label)
    return deployment, open_ledger(settings, deployment)
