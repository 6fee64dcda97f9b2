"""A target that is reached by another connection in staging, which reads the same account."""

import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from connectors.base import Account, Connector
from connectors.sql import Sql, SqlCredentials
from flows import instead
from flows.boundary import CodedFailure
from flows.check import check
from flows.systems import SYSTEMS
from flows.tenants import IntegrationInvalid, load
from tests.faults.world import Practice
from tests.flows.staging.test_stage import told
from tests.flows.test_sync import LABEL, here

__all__ = ["here"]
READING = {"connection": "trials"}


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


def test_the_image_is_read_by_credentials_of_its_own(here: Practice) -> None:
    written(here, READING, url="$TEST_READING_URL")
    url = f"sqlite:///{here.folder / 'warehouse.db'}"

    assert (
        here.run(TEST_MODE="staging", TEST_READING_URL=url, TEST_WAREHOUSE_URL="sqlite:////nowhere/at/all.db")
        == 0
    )

    patient = here.healthie.ids()[0]
    assert any("(as it is)" in line for line in told(here, patient))


def test_one_file_is_one_account_under_all_its_names(here: Practice, tmp_path: Path) -> None:
    link, copy = here.folder / "link.db", here.folder / "copy.db"
    file = here.folder / "warehouse.db"
    link.symlink_to(file.name)
    shutil.copy(file, copy)
    root = written(here, READING, url="$TEST_READING_URL")
    codes: dict[str, str] = {}
    for at in (file, link, here.folder / "home" / ".." / "warehouse.db", copy):
        with closing(Sql(SqlCredentials(url=SecretStr(f"sqlite:///{at}")), [], read_only=True)) as there:
            codes[at.name] = code_of(root, there, Account(system="sql", identity=f"sqlite://local/{file}"))

    assert codes == {"warehouse.db": "", "link.db": "", "copy.db": "account_mismatch"}


def code_of(root: Path, there: Connector, live: Account) -> str:
    """Why a run stops, if it reaches that account instead of the target's."""
    pins = {"warehouse": live}
    try:
        instead.confirm(pins.get, load(root, LABEL), {"warehouse": there}, {"warehouse": there.check()})
    except CodedFailure as stopped:
        return stopped.code
    return ""


@pytest.mark.parametrize(
    ("staging", "system", "said"),
    [
        ({"connection": "warehouse"}, "sql", "targets.warehouse.staging is by the target's own connection"),
        (READING, "csv", "targets.warehouse.staging is by trials, which is csv"),
        (
            {**READING, "sandbox": True},
            "sql",
            "targets.warehouse.staging goes to an account for trials, and sql cannot say that it is one",
        ),
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


def test_only_who_can_say_so_has_accounts_for_trials() -> None:
    assert {name for name, system in SYSTEMS.items() if system.trials} == {"healthie", "hubspot"}
