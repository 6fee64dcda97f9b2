"""Judgements in the ledger: asked once, sealed, of one integration, and only while the lease is held."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger import lease
from flows.ledger.judgements import Judgements
from flows.ledger.store import LeaseLost, Ledger
from flows.ledger.tables import AUDIT, JUDGEMENT
from tests.flows.ledgers import held, open_at

KEY = '["version", "model", "The record:\\nreason: \\"Chest pain\\"", ["urgent", "routine"]]'
OPTION = "urgent: call the patient"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def everything(ledger: Ledger) -> str:
    with ledger.engine.connect() as connection:
        return repr(
            [tuple(row) for table in (JUDGEMENT, AUDIT) for row in connection.execute(sa.select(table))]
        )


def test_the_first_answer_is_kept_and_counts(url: str, tmp_path: Path) -> None:
    ledger = held(url, tmp_path)
    judgements = Judgements(ledger, keeps=True)

    assert judgements.find([KEY]) == {}
    assert judgements.keep(KEY, "S2", OPTION) == OPTION
    assert judgements.keep(KEY, "S2", "routine") == OPTION
    assert judgements.find([KEY, "another"]) == {KEY: OPTION}
    assert judgements.find([str(n) for n in range(1200)] + [KEY]) == {KEY: OPTION}
    assert everything(ledger).count("judgement kept") == 1
    ledger.close()


def test_neither_the_question_nor_the_answer_can_be_read(url: str, tmp_path: Path) -> None:
    ledger = held(url, tmp_path)
    Judgements(ledger, keeps=True).keep(KEY, "S2", OPTION)
    text = everything(ledger) + (tmp_path / "ledger.db").read_bytes().decode("latin-1")
    ledger.close()

    assert [word for word in ("Chest", "urgent", "call the patient", "routine") if word in text] == []


def test_another_integration_and_another_tenant_have_their_own(url: str, tmp_path: Path) -> None:
    ledger = held(url, tmp_path)
    Judgements(ledger, keeps=True).keep(KEY, "S2", OPTION)
    for name, tenant in (("other", "acme"), ("warehouse", "other")):
        beside = open_at(url, tmp_path, name, tenant)
        assert Judgements(beside, keeps=True).find([KEY]) == {}
        beside.close()
    ledger.close()


def test_a_run_that_lost_its_lease_keeps_nothing(url: str, tmp_path: Path) -> None:
    stale = held(url, tmp_path)
    lease.give_back(stale)
    newer = held(url, tmp_path, "r2")

    with pytest.raises(LeaseLost):
        Judgements(stale, keeps=True).keep(KEY, "S2", OPTION)
    assert Judgements(newer, keeps=True).find([KEY]) == {}
    stale.close()
    newer.close()


def test_a_dry_run_uses_what_is_there_and_keeps_nothing(url: str, tmp_path: Path) -> None:
    ledger = held(url, tmp_path)
    Judgements(ledger, keeps=True).keep(KEY, "S2", OPTION)
    dry = Judgements(open_at(url, tmp_path), keeps=False)

    assert dry.find([KEY]) == {KEY: OPTION}
    assert dry.keep("another", "S2", OPTION) == OPTION
    assert dry.find(["another"]) == {}
    dry._ledger.close()
    ledger.close()
