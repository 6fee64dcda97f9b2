"""Lookups: what Healthie knows, asked for before deciding."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from pydantic import JsonValue

from connectors.healthie.arguments import FindClient, NoArguments
from connectors.healthie.client import Client
from connectors.healthie.fields import catalogue
from connectors.healthie.mutation import parsed
from connectors.healthie.present import clients_matching, patient
from connectors.healthie.reply import Json
from connectors.operation import Arguments, Lookup

SHOWN: Final = (
    "active",
    "first_name",
    "last_name",
    "email",
    "dob",
    "record_identifier",
    "user_group_id",
    "dietitian_id",
)


def lookups(client: Client) -> Mapping[str, Lookup]:
    """The lookups by name."""

    def get_client(id_: str, _: Arguments) -> JsonValue:
        found = patient(client, id_, " ".join(SHOWN))
        return None if found is None else {name: found.get(name) for name in ("id", *SHOWN)}

    def find_client(_: str, arguments: Arguments) -> JsonValue:
        asked = parsed(FindClient, arguments)
        words = [asked.last_name, asked.dob.isoformat()]
        matches = [row for row in clients_matching(client, words) if _is(row, asked)]
        return [{"id": row["id"], "active": row.get("active")} for row in matches]

    return {
        lookup.name: lookup
        for lookup in (
            Lookup(
                "get_client",
                "The patient as Healthie has it now; null if there is none.",
                NoArguments,
                get_client,
                {name: catalogue()[name].category for name in ("id", *SHOWN)},
                of="update_client",
            ),
            Lookup(
                "find_client",
                "Healthie's patients with exactly this last name and birth date (and first name, e-mail, if "
                "given). Several may be the same person entered twice; an empty list means none.",
                FindClient,
                find_client,
                {name: catalogue()[name].category for name in ("id", "active")},
            ),
        )
    }


def _is(row: Json, asked: FindClient) -> bool:
    """Healthie's search is fuzzy and goes over many fields: each given one must be equal."""
    first = [_folded(row.get(name)) for name in ("first_name", "legal_name")]
    return (
        _folded(row.get("last_name")) == _folded(asked.last_name)
        and _day(row.get("dob")) == asked.dob
        and (asked.first_name is None or _folded(asked.first_name) in first)
        and (asked.email is None or _folded(row.get("email")) == _folded(asked.email))
    )


def _folded(value: JsonValue) -> str:
    return " ".join(value.split()).casefold() if isinstance(value, str) else ""


def _day(value: JsonValue) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
