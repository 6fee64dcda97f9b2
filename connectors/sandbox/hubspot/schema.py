"""Properties over HTTP: listed, made, and which of them a token may see and write."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from connectors.sandbox.hubspot.asked import Asked
from connectors.sandbox.hubspot.batches import WriteBatch
from connectors.sandbox.hubspot.properties import Property
from connectors.sandbox.hubspot.reply import Json, RefusedError, Reply, invalid


class NewProperties(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inputs: Annotated[list[Property], Field(min_length=1, max_length=100)]


class NewGroup(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    label: str


def listed(asked: Asked) -> Reply:
    """The properties of one sensitivity; without a wish, those that are not sensitive."""
    asked.require(f"crm.schemas.{asked.parts['type']}.read")
    wanted = asked.request.query.get("dataSensitivity", "non_sensitive")
    if wanted != "non_sensitive":
        asked.allow("sensitive.read")
    return Reply(
        200,
        {
            "results": [
                one.model_dump(mode="json", by_alias=True)
                for one in asked.store.properties.values()
                if one.data_sensitivity == wanted and not one.archived
            ]
        },
    )


def created(asked: Asked) -> Reply:
    """New properties: each by itself, what is refused is told in a 207."""
    asked.require(f"crm.schemas.{asked.parts['type']}.write")
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in asked.request.read_as(NewProperties).inputs:
        try:
            _define(asked, one)
        except RefusedError as refused:
            errors.append(refused.row(None))
            continue
        results.append(one.model_dump(mode="json", by_alias=True))
    body: Json = {"status": "COMPLETE", "results": results}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply(207 if errors else 201, body)


def _define(asked: Asked, new: Property) -> None:
    if new.group_name not in asked.portal.groups[asked.parts["type"]]:
        raise invalid("The property group does not exist")
    if new.data_sensitivity != "non_sensitive":
        asked.allow("sensitive.write")
        if not asked.portal.settings.sensitive_data:
            raise RefusedError(403, "SENSITIVE_DATA_NOT_ENABLED", "Sensitive data is not turned on")
    new.hubspot_defined = False
    asked.store.define(new)


def groups(asked: Asked) -> Reply:
    asked.require(f"crm.schemas.{asked.parts['type']}.read")
    names = asked.portal.groups[asked.parts["type"]]
    return Reply(200, {"results": [{"name": name, "label": name, "archived": False} for name in names]})


def group_created(asked: Asked) -> Reply:
    asked.require(f"crm.schemas.{asked.parts['type']}.write")
    new, there = asked.request.read_as(NewGroup), asked.portal.groups[asked.parts["type"]]
    if new.name in there:
        raise RefusedError(409, "OBJECT_ALREADY_EXISTS", "The property group exists")
    there.append(new.name)
    return Reply(201, {"name": new.name, "label": new.label, "archived": False})


def readable(asked: Asked, names: Sequence[str]) -> list[str]:
    """Those of these properties that the token sees; the others are left out in silence."""
    sees = f"crm.objects.{asked.parts['type']}.sensitive.read" in asked.portal.scopes
    known = asked.store.properties
    return [
        name for name in names if sees or name not in known or known[name].data_sensitivity == "non_sensitive"
    ]


def check_writable(asked: Asked, batch: WriteBatch) -> None:
    """Raises if it writes a sensitive property without the scope, or lacks what the portal requires."""
    known, required = asked.store.properties, set(asked.portal.settings.required)
    for one in batch.inputs:
        if any(name in known and known[name].data_sensitivity != "non_sensitive" for name in one.properties):
            asked.allow("sensitive.write")
        is_new = not one.id or asked.store.find(one.id, one.id_property) is None
        if is_new and not required <= one.properties.keys():
            missing = sorted(required - one.properties.keys())
            errors = [{"message": f"{name} is required", "code": "REQUIRED_PROPERTY"} for name in missing]
            raise RefusedError(400, "VALIDATION_ERROR", "Required properties are missing", errors=errors)
