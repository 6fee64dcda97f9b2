"""A target that is reached otherwise in staging: to read only, or an account of the vendor's for trials."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from connectors.base import Account
from flows import instead
from flows.approval import NotApproved
from flows.boundary import CodedFailure
from flows.check import check
from flows.parameters import Parameters
from flows.run import _written
from flows.settings import Settings
from flows.tenants import IntegrationInvalid, load
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.staging.test_stage import staged, told, warehouse
from tests.flows.test_sync import LABEL, counts, here

__all__ = ["here"]
TRIALS = {"connection": "trials", "sandbox": True}


def written(practice: Practice, staging: Mapping[str, object], system: str = "sql", **settings: str) -> Path:
    """The warehouse is reached so in staging, by a connection `trials`; gives the root."""
    root = Path(practice.extra["FERRY_DEPLOYMENTS"])
    tenant, integration = root / "acme" / "tenant.yaml", root / LABEL / "integration.yaml"
    described = yaml.safe_load(tenant.read_text())
    described["connections"]["trials"] = {"connector": system, "settings": dict(settings)}
    tenant.write_text(yaml.safe_dump(described))
    said = yaml.safe_load(integration.read_text())
    said["targets"]["warehouse"]["staging"] = dict(staging)
    integration.write_text(yaml.safe_dump(said))
    return root


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            str(name) for (name,) in connection.execute("SELECT full_name FROM patients ORDER BY full_name")
        ]


def test_an_account_for_trials_is_written_to_and_the_live_one_is_not(here: Practice) -> None:
    before = warehouse(here)
    url = f"sqlite:///{here.folder / 'trials.db'}"
    written(here, TRIALS, url="$TEST_TRIALS_URL")

    assert here.run(TEST_MODE="staging", TEST_TRIALS_URL=url) == 0

    assert names(here.folder / "trials.db") == [f"Ana Start{at}" for at in range(6)]
    assert warehouse(here) == before
    assert counts(here)["delivery_done"] == 6
    assert here.ledger("SELECT count(*) FROM staged") == [(0,)]


def test_what_is_no_account_for_trials_is_never_written_to(here: Practice) -> None:
    folder = here.folder / "files"
    folder.mkdir()
    root = written(here, TRIALS, url="$TEST_WAREHOUSE_URL")
    tenant = root / "acme" / "tenant.yaml"
    tenant.write_text(
        tenant.read_text()
        .replace("connector: sql", "connector: csv")
        .replace("url: $TEST_WAREHOUSE_URL", f"folder: {folder}")
    )

    assert staged(here) == 1

    said = (here.folder / "engine.log").read_text()
    assert "not_a_sandbox: acme/simple: target warehouse reaches" in said
    assert [*folder.iterdir()] == []


def test_the_image_is_read_by_credentials_of_its_own(here: Practice) -> None:
    written(here, {"connection": "trials"}, url="$TEST_READING_URL")
    url = f"sqlite:///{here.folder / 'warehouse.db'}"

    assert (
        here.run(TEST_MODE="staging", TEST_READING_URL=url, TEST_WAREHOUSE_URL="sqlite:////nowhere/at/all.db")
        == 0
    )

    patient = here.healthie.ids()[0]
    assert any("(as it is)" in line for line in told(here, patient))


LIVE = Account(system="sql", identity="live", sandbox=False)
OTHER = Account(system="sql", identity="other", sandbox=True)


@pytest.mark.parametrize(
    ("staging", "live", "reached", "code"),
    [
        (TRIALS, LIVE, OTHER, ""),
        (TRIALS, LIVE, LIVE.model_copy(update={"identity": "third"}), "not_a_sandbox"),
        (TRIALS, OTHER, OTHER, "not_a_sandbox"),  # it is the one that live runs write to
        ({"connection": "trials"}, LIVE, LIVE, ""),
        ({"connection": "trials"}, LIVE, OTHER, "account_mismatch"),
    ],
)
def test_the_pinned_account_says_what_it_is(
    here: Practice, staging: Mapping[str, object], live: Account, reached: Account, code: str
) -> None:
    deployment = load(written(here, staging, url="$TEST_TRIALS_URL"), LABEL)
    pins = {"warehouse": live, "trials": reached}

    if not code:
        instead.confirm(pins.get, deployment, {})
        return
    with pytest.raises(CodedFailure) as stopped:
        instead.confirm(pins.get, deployment, {})
    assert stopped.value.code == code


@pytest.mark.parametrize(
    ("staging", "system", "said"),
    [
        ({"connection": "warehouse"}, "sql", "targets.warehouse.staging is by the target's own connection"),
        ({"connection": "trials"}, "csv", "targets.warehouse.staging is by trials, which is csv"),
    ],
)
def test_a_mistake_is_told_at_its_line_and_stops_a_run(
    here: Practice, staging: Mapping[str, object], system: str, said: str
) -> None:
    root = written(
        here, staging, system, **({"folder": "."} if system == "csv" else {"url": "$TEST_TRIALS_URL"})
    )

    assert [line for line in map(str, check(root, ["acme"], production=False)) if said in line]
    with pytest.raises(IntegrationInvalid, match=said.replace(".", r"\.")):
        instead.staged(load(root, LABEL))


def test_live_runs_know_nothing_of_it(here: Practice) -> None:
    written(here, TRIALS, url="$TEST_TRIALS_URL")

    assert here.run(TEST_TRIALS_URL=f"sqlite:///{here.folder / 'trials.db'}") == 0

    assert not (here.folder / "trials.db").exists()
    assert ferry(here, "status", LABEL).code == 0


def test_in_production_an_account_for_trials_needs_an_approval(here: Practice) -> None:
    asked = Parameters(tenant="acme", integration="simple", mode="staging")
    settings = Settings(deployments=written(here, TRIALS, url="$TEST_TRIALS_URL"), env="production")

    with pytest.raises(NotApproved):
        _written(settings, asked)

    written(here, {"connection": "trials"}, url="$TEST_TRIALS_URL")
    files, carried = _written(settings, asked)
    there = [one.integration.targets["warehouse"].connection for one in (files, carried)]
    assert there == ["warehouse", "trials"]
