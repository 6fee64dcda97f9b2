"""What is looked up in staging is the target's own record, under what the stage made of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.operation import Item
from connectors.sandbox.hubspot import StandIn
from flows.ledger.store import Ledger
from flows.staging import Stage
from tests.connectors.hubspot.portals import CONTACTS, hubspot, item
from tests.flows.ledgers import held


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    yield made
    made.close()


@pytest.fixture
def portal() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        writing = hubspot(stand_in, CONTACTS)
        writing.writes()["upsert_contacts"].send([item("1", firstname="Ana", plan="gold")])
        writing.close()
        yield stand_in


def test_a_lookup_shows_what_the_stage_made_of_the_record(portal: StandIn, ledger: Ledger) -> None:
    stage = Stage("hubspot", hubspot(portal, CONTACTS, read_only=True), ledger)
    ask, write = stage.lookups()["get_contact"].answer, stage.writes()["upsert_contacts"]
    there = ask("1", {})
    assert isinstance(there, dict) and (there["firstname"], there["plan"]) == ("Ana", "gold")
    assert ask("2", {}) is None

    sent: list[Item] = [item("1", plan="silver"), item("2", firstname="Bea")]
    assert {one.state for one in write.send(sent)} == {"done"}

    assert ask("1", {}) == {**there, "plan": "silver"}
    assert ask("2", {}) == {"firstname": "Bea"}
    assert portal.counts().get("write") == 1  # the one before
    stage.close()
