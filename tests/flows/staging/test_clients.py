"""A stage over Healthie, written back to: what is sent ends as it would end there."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.base import Connector
from connectors.healthie import Healthie, HealthieCredentials
from connectors.operation import Item
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from flows.ledger.store import Ledger
from flows.staging import Stage
from tests.flows.ledgers import held
from tests.flows.staging.alike import Step

ANA = {"first_name": "Ana", "last_name": "Lima", "email": "family@example.com"}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)) as opened:
        yield opened


@pytest.fixture
def practice() -> Iterator[StandIn]:
    with StandIn(patients=6, seed=5) as stand_in:
        for id_ in stand_in.ids():
            stand_in.apply([Edit(act="restore", id=id_)])
        yield stand_in


def ended(connector: Connector, steps: Sequence[Step]) -> dict[str, str]:
    writes = connector.writes()
    outcomes = [writes[name].send([item])[0] for name, item in steps]
    return {one.key: f"{one.state} {one.code}".strip() for one in outcomes}


def provider_of(known: HealthieCredentials, patient: str) -> str:
    with closing(Healthie(known, read_only=True)) as reading:
        found = reading.lookups()["get_client"].answer(patient, {})
    assert isinstance(found, dict)
    return str(found["dietitian_id"])


def test_an_email_and_name_are_one_patients(practice: StandIn, book: Ledger) -> None:
    first, second, third, *_ = practice.ids()
    practice.edit("User", third, first_name="Theo", last_name="Theirs", email="theirs@example.com")
    known = HealthieCredentials(url=practice.endpoint, api_key=SecretStr(practice.api_key))
    provider = provider_of(known, first)
    theirs = {"first_name": "Theo", "last_name": "Theirs", "email": "Theirs@example.com"}
    steps = [
        ("create_client", Item("new", "x1", {**ANA, "dietitian_id": provider})),
        ("create_client", Item("again", "x2", {**ANA, "dietitian_id": provider})),
        ("create_client", Item("family", "x3", {**ANA, "first_name": "Ben", "dietitian_id": provider})),
        ("create_client", Item("theirs", "x4", {**theirs, "dietitian_id": provider})),
        ("update_client", Item("taken", first, theirs)),
        ("update_client", Item("own", third, {"email": "theirs@example.com"})),
        ("update_client", Item("moved", third, {"email": "other@example.com"})),
        ("update_client", Item("free", first, theirs)),
        ("update_client", Item("by name", second, {**theirs, "first_name": "Tea"})),
        ("update_client", Item("then", second, {"first_name": "Theo"})),
        ("apply_tag", Item("no tag", first, {"tag_id": "999999"})),
    ]
    with closing(Stage("t", Healthie(known, read_only=True), book)) as stage:
        staged = ended(stage, steps)
    assert practice.effects() == []
    with closing(Healthie(known, read_only=False)) as live:
        assert staged == ended(live, steps)

    taken = {key for key, state in staged.items() if state == "rejected refused_by_healthie.email"}
    assert taken == {"again", "theirs", "taken", "then"}
    assert staged["no tag"] == "rejected refused_by_healthie"
