"""What is done to a portal from outside of the API: by its staff, by the clock, by a test."""

from collections.abc import Callable, Mapping
from typing import cast

from pydantic import JsonValue

from connectors.sandbox.hubspot.portal import MembersList, Portal, Settings
from connectors.sandbox.hubspot.properties import Property
from connectors.sandbox.hubspot.reply import Json, RefusedError, Reply
from connectors.sandbox.hubspot.seed import seed
from connectors.sandbox.hubspot.store import Record

Act = Callable[[Portal, Json], JsonValue]


def control(portal: Portal, name: str, given: Json) -> Reply:
    """Do one act of `ACTS`. The portal's lock is held."""
    act = ACTS.get(name)
    if act is None:
        return Reply(404, {"error": "no such page"})
    try:
        return Reply(200, act(portal, given))
    except RefusedError as refused:
        return refused.reply()


def _settings(portal: Portal, given: Json) -> JsonValue:
    portal.settings = Settings.model_validate({**portal.settings.model_dump(), **given})
    return None


def _clock(portal: Portal, given: Json) -> JsonValue:
    portal.shift += float(cast(float, given.get("advance", 0.0)))
    if "now" in given:
        portal.frozen = None if given["now"] is None else float(cast(float, given["now"]))
    return portal.now()


def _edit(portal: Portal, given: Json) -> JsonValue:
    """A person's edit of one record; without an id, a new record. Gives its id."""
    store = portal.stores[str(given.get("type", "contacts"))]
    values = store.checked(cast(dict[str, str], given["properties"]))
    if given.get("id") is None:
        record = store.create(values, portal.now())
    else:
        record = store.records[int(str(given["id"]))]
        store.update(record, values, portal.now())
    if given.get("at") is not None:
        record.modified = int(cast(int, given["at"]))
    return str(record.id)


def _archive(portal: Portal, given: Json) -> JsonValue:
    store = portal.stores[str(given.get("type", "contacts"))]
    store.archive(store.records[int(str(given["id"]))], portal.now())
    return None


def _merge(portal: Portal, given: Json) -> JsonValue:
    store = portal.stores[str(given.get("type", "contacts"))]
    ids = (int(str(given["into"])), int(str(given["id"])))
    store.merge(store.records[ids[0]], store.records[ids[1]], portal.now())
    return None


def _record(portal: Portal, given: Json) -> JsonValue:
    store = portal.stores[str(given.get("type", "contacts"))]
    record = store.records.get(int(str(given["id"])))
    return None if record is None else _shown(record)


def _records(portal: Portal, given: Json) -> JsonValue:
    store = portal.stores[str(given.get("type", "contacts"))]
    return [_shown(record) for record in store.after(0)]


def _shown(record: Record) -> Json:
    return {
        "id": str(record.id),
        "properties": dict[str, JsonValue](record.properties),
        "modified": record.modified,
        "archived": record.archived,
    }


def _requests(portal: Portal, given: Json) -> JsonValue:
    return {"counts": dict[str, JsonValue](portal.counts), "requests": list[JsonValue](portal.journal)}


def _reset(portal: Portal, given: Json) -> JsonValue:
    portal.counts.clear()
    portal.journal.clear()
    return None


def _double(portal: Portal, given: Json) -> JsonValue:
    """A contact with an e-mail that another one has, as old imports left them. Gives its id."""
    store = portal.stores["contacts"]
    record = store.create({}, portal.now())
    record.properties["email"] = str(given["email"])
    return str(record.id)


def _forget(portal: Portal, given: Json) -> JsonValue:
    for store in portal.stores.values():
        store.forget()
    portal.links.clear()
    return None


def _clear(portal: Portal, given: Json) -> JsonValue:
    portal.clear()
    return None


def _property(portal: Portal, given: Json) -> JsonValue:
    """A property that a person makes or changes, or takes away ({"name", "gone": true})."""
    store = portal.stores[str(given.pop("object_type", "contacts"))]
    if given.get("gone"):
        name = str(given["name"])
        del store.properties[name]
        store.unique.pop(name, None)
        return None
    new = Property.model_validate(given)
    if new.name in store.properties:
        store.properties[new.name] = new
    else:
        store.define(new)
    return None


def _list(portal: Portal, given: Json) -> JsonValue:
    new = MembersList(str(given["id"]), str(given["name"]), str(given.get("processing_type", "MANUAL")))
    portal.lists[new.id] = new
    return None


def _members(portal: Portal, given: Json) -> JsonValue:
    return [str(id_) for id_ in sorted(portal.lists[str(given["id"])].members)]


def _links(portal: Portal, given: Json) -> JsonValue:
    return [[str(contact), str(company)] for contact, company in sorted(portal.links)]


def _seed(portal: Portal, given: Json) -> JsonValue:
    seed(portal, int(cast(int, given["contacts"])), int(cast(int, given.get("one_stamp", 0))))
    return None


ACTS: Mapping[str, Act] = {
    "settings": _settings,
    "clock": _clock,
    "edit": _edit,
    "archive": _archive,
    "merge": _merge,
    "record": _record,
    "records": _records,
    "requests": _requests,
    "reset": _reset,
    "double": _double,
    "forget": _forget,
    "clear": _clear,
    "property": _property,
    "list": _list,
    "members": _members,
    "links": _links,
    "seed": _seed,
}
