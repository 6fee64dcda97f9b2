"""Persons: no two patients of a practice have one e-mail and one name. Healthie is asked who has it now."""

from collections.abc import Iterable, Sequence
from typing import Final

from pydantic_core import to_json

from connectors.healthie.client import Client
from connectors.healthie.present import clients_matching, patient
from connectors.healthie.reply import Json
from connectors.operation import Claim, Item

CODE: Final = "refused_by_healthie.email"
NAMED: Final = ("first_name", "last_name")


def claims_of_new(client: Client, items: Sequence[Item]) -> list[Claim]:
    """What patients claim who are to be made."""
    return [_claim(client, item, dict(item.arguments)) for item in items]


def claims_of_known(client: Client, items: Sequence[Item]) -> list[Claim]:
    """What patients claim whose e-mail or name is set; the rest of it is what Healthie has."""
    told: list[Claim] = []
    for item in items:
        if item.arguments.keys() & {"email", *NAMED}:
            held = patient(client, item.patient, " ".join(("email", *NAMED))) or {}
            told.append(_claim(client, item, {**held, **item.arguments}, own=item.patient))
    return told


def _claim(client: Client, item: Item, person: Json, own: str = "") -> Claim:
    value = _spelled(person)
    found = clients_matching(client, [str(person["email"])]) if value else ()
    return Claim(item.key, "person", value, CODE, _holder(value, found, own))


def _holder(value: str | None, found: Iterable[Json], own: str) -> str:
    others = [id_ for row in found if _spelled(row) == value and (id_ := str(row["id"])) != own]
    return named(others[0]) if others else ""


def _spelled(person: Json) -> str | None:
    """E-mail and name as one text, equal where Healthie takes them for one; None without an e-mail."""
    email = str(person.get("email") or "").casefold()
    return to_json([email, *(person.get(name) for name in NAMED)]).decode() if email else None


def named(id_: str) -> str:
    """The record of a patient."""
    return f"client/{id_}"
