"""What the sweeper does where a stage cannot be ended: it says so, and ends the others and what died."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from flows import worker
from flows.ledger import lease, stages
from tests.flows.ledgers import open_at
from tests.flows.staging.test_ends import KEY, Place, _move_end, local, place

__all__ = ["local", "place"]

NO_SERVER = "prefect: no server is named; "
THERE = "its stage is over, and its data is still there: "


@pytest.fixture
def swept_over(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A stage that is over, and the settings of the process that sweeps."""
    settings = place.settings
    assert settings.key_file is not None
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("FERRY_HOME", str(settings.home))
    monkeypatch.setenv("FERRY_ENV", settings.env)
    monkeypatch.setenv("FERRY_LEDGER_URL", settings.ledger_url)
    monkeypatch.setenv("FERRY_KEY_FILE", str(settings.key_file))
    _move_end(place)
    return place


def test_a_stage_that_cannot_be_ended_without_its_key_is_told_and_the_sweep_goes_on(
    swept_over: Place,
) -> None:
    key, told = Path(str(swept_over.settings.key_file)), list[str]()
    away = key.rename(key.with_name("away"))

    stage, runs = worker.sweep(told.append)

    assert told == [] and stage.count("\n") == 0
    assert stage.startswith(f"demo/warehouse: {THERE}") and runs.startswith(NO_SERVER)
    away.replace(key)
    (runs,) = worker.sweep(told.append)
    assert runs.startswith(NO_SERVER)
    assert len(told) == 1 and told[0].endswith("its data is destroyed")


def test_another_environments_sweeper_ends_nothing_and_goes_on(
    swept_over: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRY_ENV", "elsewhere")

    stage, runs = worker.sweep(lambda _: None)

    assert "its audit has no key for environment elsewhere" in stage and runs.startswith(NO_SERVER)
    assert swept_over.rows() > 0


def test_one_stage_that_the_ledger_refuses_to_end_keeps_no_other_from_its_end(
    local: Place, tmp_path: Path
) -> None:
    name, key = stages.named("warehouse"), stages.key_name("birch", "warehouse", 1)
    other = open_at(
        local.settings.ledger_url, tmp_path / "keys", name, tenant="birch", environment="local", key=key
    )
    lease.take(other, "rother")
    stages.begin(other)
    lease.give_back(other)
    other.close()
    _move_end(local)
    failed = list[str]()
    with local.engine.begin() as connection:
        connection.execute(
            sa.text(
                f"CREATE TRIGGER no BEFORE UPDATE ON data_key WHEN NEW.tenant = '{KEY}' "
                "BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )

    ended = [one.label for one in worker.sweeper.end_stages(local.engine, local.settings, failed)]

    assert ended == ["birch/warehouse"]
    (line,) = failed
    assert line.startswith(f"demo/warehouse: {THERE}") and line.endswith("(IntegrityError)")


def test_a_ledger_that_cannot_be_opened_is_a_line_and_not_the_workers_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FERRY_LEDGER_URL", f"sqlite:///{tmp_path}")  # a folder

    (line,) = worker.sweep(lambda _: None)

    assert line.startswith("ledger: cannot open ")
