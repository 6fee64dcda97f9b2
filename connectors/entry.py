"""An entry: a patient record and all structured data around it, as the engine sees it.

A source gives entries as plain JSON values under the source's own names: a field that was not asked
for or not there is absent, null is None, and "" is empty. Lists hold objects. Paths name fields
without positions (`policies.insurance_plan.payer_name`), or one value with them (`policies.0.num`).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue

Entry = Mapping[str, JsonValue]


class Category(StrEnum):
    """What kind of patient data a field is; a target receives only the categories approved for it."""

    STATUS = "status"  # ids, active, timestamps
    IDENTITY = "identity"  # names, birth date, sex, record numbers
    CONTACT = "contact"  # e-mail, phone
    ADDRESS = "address"
    INSURANCE = "insurance"
    SCHEDULE = "schedule"  # appointments
    MONEY = "money"  # invoices, payments, packages
    CLAIMS = "claims"
    CARE_TEAM = "care_team"
    TAGS = "tags"  # tags and groups
    TASKS = "tasks"
    REFERRALS = "referrals"
    CUSTOM = "custom"  # metadata
    CLINICAL = "clinical"  # opt-in
    FREE_TEXT = "free_text"  # opt-in


@dataclass(frozen=True, slots=True)
class EntryField:
    """One field that a source offers. `many`: below a list, so a path has one value per element."""

    path: str
    type: Literal["str", "int", "float", "bool", "date", "datetime", "json"]
    category: Category
    many: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that was read. `troubles` are codes of what was malformed and left out, no values."""

    patient: str
    entry: Entry
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """An entry that was asked for and not given. Nothing may be concluded from it but the reason."""

    patient: str
    reason: Literal["unknown", "restricted", "unreadable"]


Reading = Found | Absent


def leaves(entry: Entry) -> Iterator[tuple[str, JsonValue]]:
    """Every scalar, null, empty list and empty object of the entry with its concrete path, in order."""
    stack: list[tuple[str, JsonValue]] = [(name, value) for name, value in reversed(list(entry.items()))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict) and value:
            stack.extend((f"{path}.{name}", inner) for name, inner in reversed(list(value.items())))
        elif isinstance(value, list) and value:
            stack.extend((f"{path}.{at}", inner) for at, inner in reversed(list(enumerate(value))))
        else:
            yield path, value


def projected(entry: Entry, paths: Collection[str]) -> dict[str, JsonValue]:
    """What of an entry is at these declared paths or below them, in the entry's own order."""
    found: dict[str, JsonValue] = {}
    for name, value in entry.items():
        below = {path.partition(".")[2] for path in paths if path.partition(".")[0] == name}
        if not below:
            continue
        if "" not in below and isinstance(value, list):
            found[name] = [projected(one, below) if isinstance(one, dict) else one for one in value]
        elif "" not in below and isinstance(value, dict):
            found[name] = projected(value, below)
        else:
            found[name] = value
    return found


def without_positions(path: str) -> str:
    """`policies.0.num` as `policies.num`: the name under which a field is declared and granted."""
    return ".".join(part for part in path.split(".") if not part.isdecimal())


def canonical(entry: Entry) -> bytes:
    """The entry as bytes: the same for the same values, whatever order they came in."""
    return json.dumps(entry, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
