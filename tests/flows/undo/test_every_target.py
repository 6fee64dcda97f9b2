"""At every target with tables what a run wrote is put back, and what a person wrote since is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.operation import Item
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from tests.connectors.deploying import LABEL, column_of, deployed
from tests.connectors.every import Case, World
from tests.faults.test_every_target import TARGETS, _held
from tests.flows.undo.office import Office


@pytest.fixture(scope="module")
def source() -> Iterator[StandIn]:
    with StandIn(6, seed=4) as stand_in:
        stand_in.apply([Edit(act="restore", id=one) for one in stand_in.ids()])
        yield stand_in


def name_everyone(source: StandIn, names: list[str | None]) -> None:
    edits = [Edit(id=one, values={"last_name": name}) for one, name in zip(source.ids(), names, strict=True)]
    source.apply(edits)


@pytest.mark.parametrize("case", TARGETS, ids=[one.name for one in TARGETS])
def test_a_run_is_taken_back_and_the_undo_too(
    case: Case, source: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "world").mkdir()
    with case.opened(tmp_path / "world") as world:
        for name, value in deployed(case, world, tmp_path / "deployments").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TEST_HEALTHIE_URL", source.endpoint)
        monkeypatch.setenv("TEST_HEALTHIE_KEY", source.api_key)
        here = Office(tmp_path / "deployments", LABEL, tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}")
        name_everyone(source, [f"Before{at}" for at in range(5)] + [None])
        assert here.run().state == "complete"
        before = _held(world)
        name_everyone(source, [f"After{at}" for at in range(6)])
        second = here.run()
        after, edited = _held(world), source.ids()[2]
        edit(world, edited, "By Hand")

        first_undo = here.run("undo", second.id)

        assert (first_undo.state, first_undo.counts["undo_kept"]) == ("complete", 1)
        assert _held(world) == before | {edited: ["By Hand"]}
        assert here.run().counts.get("planned", 0) == 0
        assert here.foretold(second.id)[-1].startswith("5 values that are as they were before")
        assert here.run("undo", first_undo.id).state == "complete"
        assert _held(world) == after | {edited: ["By Hand"]}


def edit(world: World, patient: str, value: str) -> None:
    """As a person does, in the system itself."""
    connector = world.connect()
    write = connector.writes()[world.samples[0].write]
    (outcome,) = write.send([Item("by-hand", patient, {column_of(world): value})])
    connector.close()
    assert outcome.state == "done", outcome
