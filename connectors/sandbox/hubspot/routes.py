"""The addresses of the dated API: each request finds what answers it. The undated ones are switched off."""

import re
from collections.abc import Callable
from typing import Final

from pydantic import JsonValue

from connectors.sandbox.hubspot import batches, lists, schema, search
from connectors.sandbox.hubspot.asked import Asked, Request
from connectors.sandbox.hubspot.batches import ReadBatch, WriteBatch
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.reply import Json, RefusedError, Reply, invalid
from connectors.sandbox.hubspot.search import Search
from connectors.sandbox.hubspot.store import Store

VERSION: Final = "2026-09"
ACCOUNT_VERSION: Final = "2026-03"
PAGE_MAX = 100


def answer(portal: Portal, request: Request) -> Reply:
    """What HubSpot answers. The portal's lock is held."""
    for method, pattern, respond in ROUTES:
        found = pattern.fullmatch(request.path)
        if found is not None and method == request.method:
            limited = portal.limited(search=request.path.endswith("/search"))
            if limited is not None:
                return limited
            try:
                return respond(Asked(portal, request, found.groupdict()))
            except RefusedError as refused:
                return refused.reply()
    return Reply(404, {"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"})


def _account(asked: Asked) -> Reply:
    settings = asked.portal.settings
    body: Json = {
        "portalId": settings.portal_id,
        "accountType": settings.account_type,
        "timeZone": settings.time_zone,
        "companyCurrency": "USD",
        "utcOffset": "-05:00",
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }
    return Reply(200, body)


def _page(asked: Asked) -> Reply:
    """The plain listing: strongly consistent, by id, 100 a page, archived ones or the others."""
    asked.allow("read")
    query, store = asked.request.query, asked.store
    limit, after = int(query.get("limit", "10")), int(query.get("after", "0"))
    if not 1 <= limit <= PAGE_MAX:
        raise invalid("The limit must be between 1 and 100")
    archived = query.get("archived") == "true"
    names = [name for name in query.get("properties", "").split(",") if name]
    rows: list[Json] = []
    more = False
    for record in store.after(after):
        if record.archived is archived:
            more = len(rows) == limit
            if more:
                break
            rows.append(batches.shown(record, names, store))
    body: Json = {"results": list[JsonValue](rows)}
    if more:
        body["paging"] = {"next": {"after": str(rows[-1]["id"]), "link": "none"}}
    return Reply(200, body)


def _search(asked: Asked) -> Reply:
    asked.allow("read")
    wanted = asked.request.read_as(Search)
    wanted.check(len(asked.request.body.decode()))
    hits, total = search.found(wanted, asked.store, asked.portal.horizon)
    results: list[JsonValue] = []
    for record in hits[asked.portal.settings.search_drops :]:
        results.append(batches.shown(record, wanted.properties, asked.store))
    body: Json = {"total": total, "results": results}
    reached = int(wanted.after or 0) + len(hits)
    if reached < total:
        body["paging"] = {"next": {"after": str(reached)}}
    return Reply(200, body)


def _read(asked: Asked) -> Reply:
    asked.allow("read")
    wanted = asked.request.read_as(ReadBatch)
    visible = wanted.model_copy(update={"properties": schema.readable(asked, wanted.properties)})
    return batches.read(asked.store, visible)


def _write(act: Callable[[batches.NOW], Callable[[Store, batches.Input], Json]]) -> Callable[[Asked], Reply]:
    def respond(asked: Asked) -> Reply:
        asked.allow("write")
        wanted = asked.request.read_as(WriteBatch)
        schema.check_writable(asked, wanted)
        portal = asked.portal
        settings = portal.settings
        return batches.write(
            asked.store, wanted, act(portal.now), settings.whole_batch, hidden=settings.answers_hide
        )

    return respond


def _archive(asked: Asked) -> Reply:
    asked.allow("write")
    record = asked.store.find(asked.parts["id"], None)
    if record is not None:
        asked.store.archive(record, asked.portal.now())
    return Reply(204)


_OBJECTS = rf"/crm/objects/{VERSION}/(?P<type>\w+)"
_PROPERTIES = rf"/crm/properties/{VERSION}/(?P<type>\w+)"
_ASSOCIATIONS = rf"/crm/associations/{VERSION}/(?P<type>\w+)/(?P<to>\w+)"
_LISTS = rf"/crm/lists/{VERSION}"

ROUTES: Final = tuple(
    (method, re.compile(pattern), respond)
    for method, pattern, respond in (
        ("GET", rf"/account-info/{ACCOUNT_VERSION}/details", _account),
        ("GET", _OBJECTS, _page),
        ("POST", rf"{_OBJECTS}/search", _search),
        ("POST", rf"{_OBJECTS}/batch/read", _read),
        ("POST", rf"{_OBJECTS}/batch/upsert", _write(batches.upsert)),
        ("POST", rf"{_OBJECTS}/batch/update", _write(batches.update)),
        ("POST", rf"{_OBJECTS}/batch/create", _write(batches.create)),
        ("DELETE", rf"{_OBJECTS}/(?P<id>\d+)", _archive),
        ("GET", _PROPERTIES, schema.listed),
        ("POST", rf"{_PROPERTIES}/batch/create", schema.created),
        ("GET", rf"{_PROPERTIES}/groups", schema.groups),
        ("POST", rf"{_PROPERTIES}/groups", schema.group_created),
        ("POST", rf"{_ASSOCIATIONS}/batch/associate/default", lists.associate),
        ("POST", rf"{_ASSOCIATIONS}/batch/read", lists.associated),
        ("GET", rf"{_LISTS}/(?P<list>\d+)", lists.one),
        ("PUT", rf"{_LISTS}/(?P<list>\d+)/memberships/(?P<act>add|remove)", lists.members_changed),
        ("GET", rf"{_LISTS}/records/(?P<type>[\w-]+)/(?P<record>\d+)/memberships", lists.of_record),
    )
)
