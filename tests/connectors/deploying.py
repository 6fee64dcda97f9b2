"""A case's world as the target of a deployment, so that the real engine delivers to it."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import JsonValue

from connectors.entry import Category
from tests.connectors.every import Case, World

LABEL = "acme/target"
PROGRAM = """def decide(entry, today):
    if not entry["active"]:
        return skip("S2", "archived")
    return [target_upsert_{table}(because=["S1"], {column}=entry["last_name"])]
"""
INSTRUCTIONS = """S1. Each patient is one row with the last name.

S2. Archived patients are left alone; the reason is `archived`.
"""


def deployed(case: Case, world: World, root: Path) -> dict[str, str]:
    """Write the deployment LABEL below `root`; gives what of its connection the environment must say.

    Every value is the environment's, so that none is asked for. The target gets the patient and the text
    column of the case's table.
    """
    folder = root / LABEL
    folder.mkdir(parents=True)
    values = {name: value for name, value in world.values.items() if not isinstance(value, dict | list)}
    environment = {f"TEST_TARGET_{name.upper()}": _written(value) for name, value in values.items()}
    connections = {
        "healthie": {
            "connector": "healthie",
            "settings": {"url": "$TEST_HEALTHIE_URL", "api_key": "$TEST_HEALTHIE_KEY"},
        },
        "target": {
            "connector": case.system,
            "settings": {name: f"$TEST_TARGET_{name.upper()}" for name in values},
        },
    }
    tenant = {"timezone": "America/New_York", "connections": connections}
    (root / "acme" / "tenant.yaml").write_text(yaml.safe_dump(tenant))
    (folder / "integration.yaml").write_text(yaml.safe_dump(_integration(case, world)))
    (folder / "fields.yaml").write_text("S1: [id, last_name]\nS2: [active]\n")
    (folder / "instructions.md").write_text(INSTRUCTIONS)
    column = column_of(world)
    assert world.table is not None
    (folder / "program.py").write_text(PROGRAM.format(table=world.table.name, column=column))
    return environment


def column_of(world: World) -> str:
    """The column that the last name goes to."""
    return next(sample.text for sample in world.samples if sample.text)


def _integration(case: Case, world: World) -> dict[str, JsonValue]:
    table, column = world.table, column_of(world)
    assert table is not None
    grant: Mapping[str, JsonValue] = {"type": "str", "from": ["last_name"], "because": ["S1"]}
    columns: dict[str, JsonValue] = {column: dict(grant)}
    confirmed: dict[str, JsonValue] = dict.fromkeys(sorted(case.connector.holds.names), "for a test")
    target: dict[str, JsonValue] = {
        "connection": "target",
        "categories": [Category.STATUS.value, Category.IDENTITY.value],
        "confirmed": confirmed,
        "options": dict(world.options),
        "tables": [{"name": table.name, "patient": table.patient, "columns": columns}],
    }
    return {"targets": {"target": target}, "limits": {"at_least": 100000}}


def _written(value: JsonValue) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
