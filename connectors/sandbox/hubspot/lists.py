"""Lists and associations: who is a member of what, and which company a contact belongs to."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

from connectors.sandbox.hubspot.asked import Asked
from connectors.sandbox.hubspot.portal import OBJECT_TYPES, MembersList
from connectors.sandbox.hubspot.reply import Json, RefusedError, Reply, invalid

PAIRS_MAX = 2000


class Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str


class Pair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_: Named = Field(alias="from")
    to: Named


class Pairs(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inputs: Annotated[list[Pair], Field(min_length=1, max_length=PAIRS_MAX)]


class Asking(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inputs: Annotated[list[Named], Field(min_length=1, max_length=1000)]


class Members(RootModel[list[str]]):
    """The ids of records."""


def associate(asked: Asked) -> Reply:
    """Contacts to companies, as "default" associations. Those that are there stay."""
    _only_companies(asked)
    asked.allow("write")
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for pair in asked.request.read_as(Pairs).inputs:
        contact = asked.portal.stores["contacts"].find(pair.from_.id, None)
        company = asked.portal.stores["companies"].find(pair.to.id, None)
        if contact is None or company is None:
            missing = [pair.from_.id if contact is None else pair.to.id]
            refused = RefusedError(404, "OBJECT_NOT_FOUND", "record not found", context={"ids": missing})
            errors.append(refused.row(None))
            continue
        asked.portal.links.add((contact.id, company.id))
        results.append({"from": {"id": str(contact.id)}, "to": {"id": str(company.id)}})
    body: Json = {"status": "COMPLETE", "results": results}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply(207 if errors else 200, body)


def associated(asked: Asked) -> Reply:
    """The companies of contacts."""
    _only_companies(asked)
    asked.allow("read")
    results: list[JsonValue] = []
    for one in asked.request.read_as(Asking).inputs:
        companies = sorted(company for contact, company in asked.portal.links if str(contact) == one.id)
        if companies:
            to: list[JsonValue] = [{"toObjectId": company, "associationTypes": []} for company in companies]
            results.append({"from": {"id": one.id}, "to": to})
    return Reply(200, {"status": "COMPLETE", "results": results})


def one(asked: Asked) -> Reply:
    asked.require("crm.lists.read")
    found = _list(asked)
    return Reply(
        200,
        {
            "list": {
                "listId": found.id,
                "name": found.name,
                "objectTypeId": OBJECT_TYPES["contacts"],
                "processingType": found.processing_type,
                "size": len(found.members),
            }
        },
    )


def members_changed(asked: Asked) -> Reply:
    """Add or remove members of a static list; ids that no record has are told."""
    asked.require("crm.lists.write")
    found, contacts = _list(asked), asked.portal.stores["contacts"]
    if found.processing_type != "MANUAL":
        raise invalid("Only the members of static lists can be changed")
    ids = asked.request.read_as(Members).root
    there = {int(id_) for id_ in ids if contacts.find(id_, None) is not None}
    missing: list[JsonValue] = [id_ for id_ in ids if contacts.find(id_, None) is None]
    if asked.parts["act"] == "add":
        changed = sorted(there - found.members)
        found.members |= there
        body: Json = {"recordsIdsAdded": [str(id_) for id_ in changed], "recordIdsMissing": missing}
    else:
        changed = sorted(there & found.members)
        found.members -= there
        body = {"recordIdsRemoved": [str(id_) for id_ in changed], "recordIdsMissing": missing}
    return Reply(200, body)


def of_record(asked: Asked) -> Reply:
    """The lists that a record is a member of."""
    asked.require("crm.lists.read")
    record = int(asked.parts["record"])
    results: list[JsonValue] = []
    for found in asked.portal.lists.values():
        if record in found.members:
            results.append({"listId": found.id, "isPublishedByBackend": False})
    return Reply(200, {"total": len(results), "results": results})


def _list(asked: Asked) -> MembersList:
    found = asked.portal.lists.get(asked.parts["list"])
    if found is None:
        raise RefusedError(404, "OBJECT_NOT_FOUND", "List does not exist")
    return found


def _only_companies(asked: Asked) -> None:
    if (asked.parts["type"], asked.parts["to"]) != ("contacts", "companies"):
        raise invalid("Only contacts to companies are known here")
