"""Integrations at random: targets, a part of what each can take, and a program for it."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import JsonValue

from connectors.entry import Category
from flows.systems import SYSTEMS

TENANT = "acme"
ALL = [one.value for one in (Category.STATUS, Category.IDENTITY, Category.CONTACT)]
INSTRUCTIONS = """S1. Each patient is carried to every target.

S2. Archived patients are left alone; the reason is `archived`.

S3. Without a last name a person decides; the reason is `no_name`.
"""
FIELDS = (
    "S1: [id, first_name, last_name, email, phone_number, dob, updated_at]\nS2: [active]\nS3: [last_name]\n"
)

Part = tuple[dict[str, JsonValue], str]
"""What is granted of one argument, and how the program says it."""

TEXT: Part = {"from": ["last_name"]}, 'entry["last_name"]'
COLUMNS: Mapping[str, Part] = {
    "full_name": ({"from": ["first_name", "last_name"], "computed": True}, "name"),
    "visits": ({"constants": [1, 2, 3]}, "2"),
    "balance": ({"constants": ["12.50"]}, '"12.50"'),
    "active": ({"from": ["active"]}, 'entry["active"]'),
    "born_on": ({"from": ["dob"]}, 'entry.get("dob") or MISSING'),
    "seen_at": ({"from": ["updated_at"]}, 'entry.get("updated_at") or MISSING'),
}
WRITES: Mapping[str, Mapping[str, Mapping[str, Part]]] = {
    "probe": {
        "keyed_charge": {"amount": ({"constants": [1250]}, "1250"), "memo": TEXT},
        "upsert_contact": {"last_name": TEXT, "email": ({"from": ["email"]}, 'entry.get("email", MISSING)')},
        "create_order": {"product": TEXT},
        "send_event": {"name": TEXT},
    },
    "healthie": {
        "set_metadata": {"name": ({"constants": ["surname"]}, '"surname"'), "value": TEXT},
        "update_client": {
            "legal_name": TEXT,
            "phone_number": ({"from": ["phone_number"]}, 'entry.get("phone_number", MISSING)'),
        },
        "create_location": {
            "line1": ({"constants": ["1 Main Street"]}, '"1 Main Street"'),
            "city": ({"constants": ["Reno"]}, '"Reno"'),
            "state": ({"constants": ["NV"]}, '"NV"'),
            "zip": ({"constants": ["89501"]}, '"89501"'),
        },
        "apply_tag": {"tag_id": ({"constants": ["1"]}, '"1"')},
        "remove_tag": {"tag_id": ({"constants": ["1"]}, '"1"')},
        "create_task": {"content": TEXT, "assignee_id": ({"constants": ["1"]}, '"1"')},
    },
    "hubspot": {
        "add_to_list": {"list_id": ({"constants": ["7"]}, '"7"')},
        "remove_from_list": {"list_id": ({"constants": ["7"]}, '"7"')},
    },
}
TYPES = {
    "full_name": "str",
    "visits": "int",
    "balance": "decimal",
    "active": "bool",
    "born_on": "date",
    "seen_at": "datetime",
}


def draw(
    chance: random.Random, root: Path, name: str, systems: Mapping[str, Mapping[str, Any]], *, asks: bool
) -> None:
    """Write the integration `name` below `root`.

    systems: by the target's name, what is known of it. asks: writes may wait for a person.
    """
    targets: dict[str, JsonValue] = {}
    calls: list[str] = []
    for target, known in systems.items():
        granted, said = _target(chance, target, known)
        targets[target] = granted
        calls += said
    chance.shuffle(calls)
    folder = root / TENANT / name
    folder.mkdir(parents=True, exist_ok=True)
    integration: dict[str, JsonValue] = {"targets": targets, "limits": _limits(chance, asks=asks)}
    if chance.random() < 0.3:
        integration["rollout"] = "50%"
    (folder / "integration.yaml").write_text(yaml.safe_dump(integration))
    (folder / "fields.yaml").write_text(FIELDS)
    (folder / "instructions.md").write_text(INSTRUCTIONS)
    (folder / "program.py").write_text(_program(calls))


def connections(root: Path, described: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
    """Write tenant.yaml: by the connection's name, its system and its settings."""
    made = {
        name: {"connector": system, "settings": dict(settings)}
        for name, (system, settings) in described.items()
    }
    (root / TENANT).mkdir(parents=True, exist_ok=True)
    (root / TENANT / "tenant.yaml").write_text(
        yaml.safe_dump({"timezone": "America/New_York", "connections": made})
    )


def _limits(chance: random.Random, *, asks: bool) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {"at_least": 100000}
    if chance.random() < 0.2 and asks:
        found["ask_first"] = chance.sample(["creates", "blanks", "money"], 1)
    return found


def _target(
    chance: random.Random, target: str, known: Mapping[str, Any]
) -> tuple[dict[str, JsonValue], list[str]]:
    granted: dict[str, JsonValue] = {"connection": target, "categories": list(ALL), **known.get("more", {})}
    if "at" in known and chance.random() < 0.4:  # the same account, by another connection
        granted["staging"] = {"connection": "reading"}
    calls: list[str] = []
    if table := known.get("table"):
        names = chance.sample(sorted(COLUMNS), chance.randint(1, len(COLUMNS)))
        columns: dict[str, JsonValue] = {
            one: {"type": TYPES[one], "because": ["S1"], **COLUMNS[one][0]} for one in names
        }
        granted["tables"] = [{"name": table.name, "patient": table.patient, "columns": columns}]
        calls.append(_call(f"{target}_upsert_{table.name}", {one: COLUMNS[one][1] for one in names}))
    offered = WRITES.get(known["system"], {})
    chosen = _without_opposites(
        chance.sample(sorted(offered), chance.randint(0 if calls else 1, len(offered)))
    )
    if chosen:
        granted["writes"] = {
            write: {
                "arguments": {name: {"because": ["S1"], **part[0]} for name, part in offered[write].items()}
            }
            for write in chosen
        }
    calls += [
        _call(f"{target}_{write}", {name: part[1] for name, part in offered[write].items()})
        for write in chosen
    ]
    return granted, calls


def _without_opposites(chosen: list[str]) -> list[str]:
    """Never both of what undoes the other one."""
    return [
        one
        for one in chosen
        if not (one.startswith("remove_") and any(each.startswith(("apply_", "add_")) for each in chosen))
    ]


def _call(operation: str, arguments: Mapping[str, str]) -> str:
    said = "".join(f", {name}={value}" for name, value in arguments.items())
    return f'{operation}(because=["S1"]{said})'


def _program(calls: list[str]) -> str:
    lines = [
        "def decide(entry, today):",
        '    if not entry["active"]:',
        '        return skip("S2", "archived")',
        '    if not entry["last_name"]:',
        '        return review("S3", "no_name")',
        '    name = " ".join(part for part in [entry.get("first_name"), entry.get("last_name")] if part)',
        "    return [",
        *(f"        {call}," for call in calls),
        "    ]",
    ]
    return "\n".join(lines) + "\n"


def targets() -> list[str]:
    """The systems that can be a target."""
    return sorted(name for name, system in SYSTEMS.items() if system.target)
