"""A staged run to the targets in which people work, all of them at once, and then the live one."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from connectors.sandbox.healthie.edits import Edit
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.staging.places import PLACES, Place, untouched
from tests.flows.staging.test_stage import staged
from tests.flows.test_sync import Make, rename

COLUMNS = {
    "name": {"type": "str", "from": ["first_name", "last_name"], "computed": True},
    "channel": {"type": "str", "from": ["metadata.channel"]},
}
PROGRAM = """def decide(entry, today):
    name = " ".join(part for part in [entry.get("first_name"), entry.get("last_name")] if part)
    channel = (entry.get("metadata") or {}).get("channel", MISSING)
    return [
        csv_upsert_patients(because=["S1"], name=name, channel=channel),
        excel_upsert_patients(because=["S1"], name=name, channel=channel),
        sheets_upsert_patients(because=["S1"], name=name, channel=channel),
        airtable_upsert_patients(because=["S1"], name=name, channel=channel),
    ]
"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[dict[str, Place]]:
    with ExitStack() as stack:
        found: dict[str, Place] = {}
        for name, opened in PLACES.items():
            folder = tmp_path / name
            folder.mkdir()
            found[name] = stack.enter_context(opened(folder))
        yield found


@pytest.fixture
def here(practice: Make, there: dict[str, Place], tmp_path: Path) -> Practice:
    """A practice of six patients, carried once to each of the places."""
    deployments = tmp_path / "deployments"
    shutil.copytree(DEPLOYMENTS, deployments)
    tenant = yaml.safe_load((deployments / "acme" / "tenant.yaml").read_text())
    made = practice("rows")
    made.label, made.extra = "acme/rows", {"FERRY_DEPLOYMENTS": str(deployments)}
    for name, place in there.items():
        variables = {field: f"TEST_{name}_{field}".upper() for field in place.values}
        made.extra |= {variable: str(place.values[field]) for field, variable in variables.items()}
        settings = {field: f"${variable}" for field, variable in variables.items()}
        tenant["connections"][name] = {"connector": place.system, "settings": settings}
    (deployments / "acme" / "tenant.yaml").write_text(yaml.safe_dump(tenant))
    _declare(deployments / "acme" / "rows", list(there))
    for at, one in enumerate(made.healthie.ids()):
        made.healthie.apply([Edit(act="restore", id=one), rename(one, f"Start{at}")])
        made.healthie.edit("User", one, metadata=json.dumps({"channel": "friend"}))
    assert made.run() == 0
    return made


def _declare(folder: Path, targets: list[str]) -> None:
    folder.mkdir()
    integration = {
        "targets": {
            name: {
                "connection": name,
                "categories": ["status", "identity", "contact", "custom"],
                "tables": [{"name": "patients", "columns": COLUMNS}],
                **(
                    {"confirmed": {"baa": "signed 2026-03-01, A. Lima"}}
                    if name in ("sheets", "airtable")
                    else {}
                ),
            }
            for name in targets
        },
        "limits": {"at_least": 100},
    }
    (folder / "integration.yaml").write_text(yaml.safe_dump(integration, sort_keys=False))
    (folder / "fields.yaml").write_text("S1: [first_name, last_name, metadata.channel]\n")
    (folder / "instructions.md").write_text(
        "S1. Each patient is one row in each place: the name and the channel.\n"
    )
    (folder / "program.py").write_text(PROGRAM)


def refused(practice: Practice, staging: bool) -> list[tuple[object, ...]]:
    """The operations that were refused, with the codes."""
    return practice.ledger(
        "SELECT operation, code FROM delivery JOIN integration ON integration.id = delivery.integration "
        f"WHERE state = 'rejected' AND name = '{'rows.staging' if staging else 'rows'}' ORDER BY 1, 2"
    )


def test_a_staged_run_shows_theirs_refuses_as_they_do_and_writes_nothing(
    here: Practice, there: dict[str, Place]
) -> None:
    patients = here.healthie.ids()
    for place in there.values():
        place.rename(patients[1], "By Hand")
    here.healthie.apply([rename(patients[1], "Changed")])
    for patient, channel in zip(patients[2:5], ("", " a friend", "x" * 40_000), strict=True):
        here.healthie.edit("User", patient, metadata=json.dumps({"channel": channel}))

    with untouched(*there.values()):
        code = staged(here)

    ((run,),) = here.ledger("SELECT id FROM run ORDER BY started DESC LIMIT 1")
    said = ferry(here, "diff", str(run), "--values").out
    assert said.count('  name: "By Hand" → "Ana Changed" ← ') == len(there)
    assert here.run() == code
    assert refused(here, staging=True) == refused(here, staging=False)
    assert {operation for operation, _ in refused(here, staging=True)} == {
        f"{name}_upsert_patients" for name in ("excel", "sheets", "airtable")
    }
