"""Writes to the patient itself: demographics, a new patient, our own metadata."""

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from zoneinfo import available_timezones

from pydantic import JsonValue
from pydantic_core import to_json

from connectors.errors import Rejected
from connectors.healthie.arguments import CreateClient, SetMetadata, UpdateClient
from connectors.healthie.client import Client
from connectors.healthie.mutation import (
    CREATE_CLIENT,
    UPDATE_CLIENT,
    Created,
    applied,
    as_written,
    create,
    each,
    not_applied,
    parsed,
    refused,
    refuses,
    run,
)
from connectors.healthie.normal import MalformedError, metadata
from connectors.healthie.persons import claims_of_known, claims_of_new, named
from connectors.healthie.present import clients_matching, known_patient, patient
from connectors.healthie.reply import Json
from connectors.operation import Arguments, Delivery, Item, Write, arguments_of

NAMESPACE: Final = "ferry"  # the one key of a metadata that is ours; all others are left as they are
EMAIL: Final = re.compile(r"([^@\s]+@[^@\s]+\.[^@\s]+)?")
LONGEST: Final = 128_000  # characters of a metadata


@dataclass(frozen=True, slots=True)
class ClientWrites:
    """update_client, create_client, set_metadata."""

    client: Client
    merging: threading.Lock = field(default_factory=threading.Lock)

    def all(self) -> list[Write]:
        return [
            Write(
                name="update_client",
                summary="Change the patient's own fields in Healthie. Only the given ones change; null "
                "clears a value. A null user_group_id takes the patient out of the group; a new group starts "
                "Healthie's group automations. active: false archives the patient.",
                arguments=UpdateClient,
                delivery=Delivery.UPSERT,
                send=each(self._update),
                refuses=refuses(self.client, self._update_known),
                rules=partial(claims_of_known, self.client) if self.client.read_only else None,
                record=lambda id_, _: named(id_),
                present=self._present,
            ),
            Write(
                name="create_client",
                summary="Create a new patient in Healthie, without a welcome mail. Not for patients who are "
                "there already. A patient cannot be deleted again, only archived.",
                arguments=CreateClient,
                delivery=Delivery.SEARCHABLE,
                send=each(self._create),
                refuses=refuses(self.client, self._create_known),
                rules=partial(claims_of_new, self.client) if self.client.read_only else None,
                record=lambda id_, _: f"new_client/{id_}",
                look=self._created,
            ),
            Write(
                name="set_metadata",
                summary=f'Set one value in the patient\'s metadata, under "{NAMESPACE}". Other values there '
                "stay.",
                arguments=SetMetadata,
                delivery=Delivery.UPSERT,
                send=each(self._set_metadata),
                refuses=refuses(self.client, self._set_metadata),
                record=lambda id_, arguments: f"client/{id_}/metadata/{arguments.get('name')}",
                present=self._present_metadata,
            ),
        ]

    def _update(self, item: Item) -> str:
        sent: Json = arguments_of(parsed(UpdateClient, item.arguments))
        if not sent:
            raise Rejected("bad_arguments", "healthie: nothing to change")
        asked: Json = {**sent, "id": item.patient}
        if "user_group_id" in sent and sent["user_group_id"] is None:
            asked["user_group_id"] = ""  # how Healthie removes a group; null would leave it
        found = applied(UPDATE_CLIENT, asked, run(self.client, UPDATE_CLIENT, asked, sent))
        return str(found["id"])

    def _update_known(self, item: Item) -> str:
        """The same; whom Healthie does not show it does not change either."""
        if patient(self.client, item.patient, "") is None:
            raise refused([])
        _acceptable(item.arguments)
        return self._update(item)

    def _create_known(self, item: Item) -> Created:
        _acceptable(item.arguments)
        return self._create(item)

    def _present(self, items: Sequence[Item]) -> Mapping[str, Arguments | None]:
        held: dict[str, Arguments | None] = {}
        for item in items:
            names = sorted(set(item.arguments) & set(UpdateClient.model_fields))
            found = patient(self.client, item.patient, " ".join(names))
            held[item.key] = None if found is None else as_written(item.arguments, found, names)
        return held

    def _create(self, item: Item) -> Created:
        sent: Json = arguments_of(parsed(CreateClient, item.arguments))
        sent["record_identifier"] = item.key  # createClient has no idempotency key: this is found again
        asked: Json = {**sent, "dont_send_welcome": True, "skipped_email": not sent.get("email")}
        return create(self.client, CREATE_CLIENT, asked, sent)

    def _created(self, items: Sequence[Item]) -> Mapping[str, str | None]:
        """By `record_identifier`: Healthie searches it, and it is compared exactly."""
        references: dict[str, str | None] = {}
        for item in items:
            found = clients_matching(self.client, [item.key])
            ids = [str(row["id"]) for row in found if row.get("record_identifier") == item.key]
            references[item.key] = ids[0] if ids else None
        return references

    def _set_metadata(self, item: Item) -> str:
        """Read, merge, write: Healthie replaces the whole text. One at a time in this process."""
        asked = parsed(SetMetadata, item.arguments)
        with self.merging:
            whole = self._metadata(item.patient)
            ours = whole.get(NAMESPACE, {})
            if not isinstance(ours, dict):
                raise Rejected("metadata_malformed", f"healthie: {NAMESPACE} in the metadata is no object")
            merged: Json = {**whole, NAMESPACE: {**ours, asked.name: asked.value}}
            text = to_json(merged).decode()
            if len(text) > LONGEST:
                raise Rejected("metadata_too_large", "healthie: the metadata would be too long")
            sent: Json = {"id": item.patient, "metadata": text}
            found = run(self.client, UPDATE_CLIENT, sent, ["metadata"])
        if not isinstance(found, dict) or _parsed(found.get("metadata")) != merged:
            raise not_applied("updateClient")
        return str(found["id"])

    def _metadata(self, id_: str) -> Json:
        return _parsed(known_patient(self.client, id_, "metadata").get("metadata"))

    def _present_metadata(self, items: Sequence[Item]) -> Mapping[str, Arguments | None]:
        held: dict[str, Arguments | None] = {}
        for item in items:
            found = patient(self.client, item.patient, "metadata")
            ours = _parsed(found.get("metadata")).get(NAMESPACE) if found is not None else None
            name = str(item.arguments.get("name"))
            there = isinstance(ours, dict) and name in ours
            held[item.key] = {"name": name, "value": ours[name]} if isinstance(ours, dict) and there else None
        return held


def _acceptable(arguments: Arguments) -> None:
    """Raises Rejected, as Healthie's own refusal, for a value of which it is known what it must be."""
    email, zone = arguments.get("email"), arguments.get("timezone")
    wrong = [] if not isinstance(email, str) or EMAIL.fullmatch(email) else ["email"]
    wrong += [] if not isinstance(zone, str) or zone in available_timezones() else ["timezone"]
    if wrong:
        raise refused([{"field": name} for name in wrong])


def _parsed(text: JsonValue) -> Json:
    """A metadata that may be written back. Raises Rejected if it is not an object: it is left alone."""
    try:
        return metadata(text) or {}
    except MalformedError:
        raise Rejected("metadata_malformed", "healthie: the present metadata is no JSON object") from None
