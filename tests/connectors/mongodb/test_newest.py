"""The newest version wins, seen from the engine: what is older than its document is no refusal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pymongo import MongoClient

from connectors.sandbox.healthie import StandIn as Healthie
from connectors.sandbox.mongodb import DATABASE
from connectors.sandbox.probe import ProbeServer
from tests.connectors.deploying import LABEL, deployed
from tests.connectors.mongodb.case import CASES
from tests.faults.scenes import awake, rename
from tests.faults.world import Practice


def with_moments(root: Path) -> None:
    """The deployment writes when its entries changed, too; the newest moment wins."""
    folder = root / LABEL
    program, described = folder / "program.py", yaml.safe_load((folder / "integration.yaml").read_text())
    program.write_text(
        program.read_text().replace('["last_name"])', '["last_name"], seen_at=entry["updated_at"])')
    )
    target = described["targets"]["target"]
    target["options"] = {"newest": {"people": "seen_at"}}
    target["tables"][0]["columns"]["seen_at"] = {
        "type": "datetime",
        "from": ["updated_at"],
        "because": ["S1"],
    }
    (folder / "integration.yaml").write_text(yaml.safe_dump(described))
    (folder / "fields.yaml").write_text("S1: [id, last_name, updated_at]\nS2: [active]\n")


def test_an_older_version_is_overtaken_and_nobody_has_to_act(
    healthie: Healthie, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    (case,) = CASES
    with case.opened(tmp_path) as world:
        extra = deployed(case, world, tmp_path / "deployments")
        with_moments(tmp_path / "deployments")
        ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
        extra["FERRY_DEPLOYMENTS"] = str(tmp_path / "deployments")
        here = Practice(healthie, probe, prefect, tmp_path, ledger, label=LABEL, extra=extra)
        awake(here)
        rename(here, "First")
        assert here.run() == 0
        newer = healthie.ids()[0]
        url, later = (
            str(world.values["url"]),
            {"full_name": "Newer", "seen_at": datetime(2999, 1, 1, tzinfo=UTC)},
        )
        with MongoClient[dict[str, Any]](url) as own:
            own[DATABASE].people.update_one({"_id": newer}, {"$set": later})
        names = rename(here, "Second")

        assert here.run() == 0
        held = {str(row["patient"]): row["full_name"] for row in world.records("upsert_people")}

    assert held == {one: names[one][-1] for one in names} | {newer: "Newer"}
    assert here.ledger("SELECT code FROM delivery WHERE state = 'superseded'") == [("stale",)]
