"""Anchors: how far each ledger was, kept outside of it, in one Prefect variable for each integration.

A ledger that is behind its anchor, or holds another event at the anchor's place, was restored from an
older backup (or replaced): targets may be ahead of it, and nothing is sent until a person releases it.
A variable holds epochs, counts and keyed hashes; a lost one is noted in the audit and made again.

A tenant has an anchor, too, of what belongs to no integration. It is never written back to an older event,
and says whether the tenant was forgotten: a backup from before does not bring it back unnoticed.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import sqlalchemy as sa
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from pydantic import ValidationError
from sqlalchemy.engine import Connection, Engine

from connectors.base import Settings
from flows.crash import crashpoint
from flows.errors import ServerUnavailable, Spoken
from flows.ledger import audit, lease, restored
from flows.ledger.audit import Head
from flows.ledger.restored import Restoration
from flows.ledger.store import Ledger, TenantForgotten, now
from flows.ledger.tables import DATA_KEY
from flows.ledger.verify import Chain
from flows.reach import PAGE, is_named, server

PREFIX = "ferry_"
TAG = "ferry-anchor"


class AnchorUnavailable(Spoken):
    """Prefect's server did not give or take an anchor: so nobody knows whether the ledger is the newest."""


class Anchor(Settings):
    """What one variable holds."""

    environment: str
    tenant: str
    integration: str
    epoch: int
    audit_seq: int
    audit_head: str
    tenant_seq: int  # of the chain of what belongs to no integration
    tenant_head: str
    ledger: str  # a keyed hash: the same for the same ledger, whatever copy of it
    forgotten: bool = False  # of a tenant: its data key was destroyed


def name_of(environment: str, tenant: str, integration: str) -> str:
    """The variable's name. Its end tells `a-b/c` from `a/b_c`, and two environments on one server."""
    words = "_".join((tenant, integration)).translate({ord("-"): "_", ord("."): "_"})
    label = json.dumps([environment, tenant, integration])
    return f"{PREFIX}{words}_{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def met(ledger: Ledger) -> Restoration | None:
    """Hold the ledger against its anchor, at a run's start. Gives what is known of a restoration.

    Raises:
        AnchorUnavailable: nothing was done.
        TenantForgotten: the ledger is a backup from before the tenant was forgotten.
    """
    tenants = of_tenant(ledger)
    anchor = read(ledger.environment, ledger.tenant, ledger.name)
    with ledger.reading() as connection:
        head = audit.head(connection, ledger.tenant, ledger.name)
    if anchor is None:
        if head.seq:
            with ledger.writing("anchor made again") as connection:
                audit.add(ledger, connection, "anchor was missing, made again", 1, head.seq)
        return restored.find(ledger)
    lost = behind(ledger, anchor, before=ledger.epoch - 1) or _lost_of_tenant(ledger, anchor, tenants)
    if lost:
        same = anchor.ledger == _identity(ledger)
        restored.mark(ledger, lost=lost, same_keys=same, epoch=max(anchor.epoch + 1, ledger.epoch))
        _keep_tenant(ledger.engine, ledger.environment, ledger.tenant)
    found = restored.find(ledger)
    return replace(found, noticed_now=True) if found and lost else found


def looked(ledger: Ledger) -> Restoration | None:
    """The same for a dry run, which notes nothing. Raises as is_behind does."""
    found = restored.find(ledger)
    if (found and not found.released) or not is_behind(ledger):
        return found
    return Restoration(now(), 1, same_keys=True, released=None, noticed_now=True)


def behind(ledger: Ledger, anchor: Anchor, *, before: int) -> int:
    """0, or how many holders of the lease the ledger may not know of; `before` is the last one it knows."""
    with ledger.reading() as connection:
        head = audit.head(connection, ledger.tenant, ledger.name)
        there = audit.chain_at(connection, ledger.tenant, ledger.name, anchor.audit_seq)
    if before < anchor.epoch:
        return anchor.epoch - before
    if head.seq < anchor.audit_seq or there != anchor.audit_head:
        return anchor.epoch
    return 0


def of_tenant(ledger: Ledger) -> Anchor | None:
    """The tenant's own anchor. Raises TenantForgotten if it says so: this ledger has a key that is gone."""
    found = read(ledger.environment, ledger.tenant, "")
    if found is not None and found.forgotten:
        raise _came_back(ledger.tenant)
    return found


def _came_back(tenant: str) -> TenantForgotten:
    return TenantForgotten(
        f"{tenant}: was forgotten, and this ledger is a backup from before: it has the tenant's key again; "
        f"destroy it: ferry forget {tenant}"
    )


def _lost_of_tenant(ledger: Ledger, *anchors: Anchor | None) -> int:
    """1 if the ledger lacks an event of the tenant's own chain that an anchor knows."""
    with ledger.reading() as connection:
        return int(any(one is not None and _lacks(connection, one) for one in anchors))


def _lacks(connection: Connection, anchor: Anchor) -> bool:
    there = audit.chain_at(connection, anchor.tenant, "", anchor.tenant_seq)
    return anchor.tenant_seq > 0 and there != anchor.tenant_head


def is_behind(ledger: Ledger) -> bool:
    """Whether the ledger is older than its anchors, as far as a Prefect server at hand can tell.

    Raises:
        AnchorUnavailable, TenantForgotten.
    """
    if not is_named():
        return False
    tenants = of_tenant(ledger)
    anchor = read(ledger.environment, ledger.tenant, ledger.name)
    if anchor is None:
        return False
    with ledger.reading() as connection:
        epoch = lease.epoch(connection, ledger.integration)
    return behind(ledger, anchor, before=epoch) > 0 or _lost_of_tenant(ledger, anchor, tenants) > 0


def keep(ledger: Ledger) -> None:
    """Write the integration's anchor as the ledger is now.

    Raises:
        AnchorUnavailable: Prefect's server did not take it.
    """
    with ledger.reading() as connection:
        own = audit.head(connection, ledger.tenant, ledger.name)
        tenants = audit.head(connection, ledger.tenant)
    anchor = Anchor(
        environment=ledger.environment,
        tenant=ledger.tenant,
        integration=ledger.name,
        epoch=ledger.epoch,
        audit_seq=own.seq,
        audit_head=own.chain,
        tenant_seq=tenants.seq,
        tenant_head=tenants.chain,
        ledger=_identity(ledger),
    )
    crashpoint("anchor")
    _write(name_of(ledger.environment, ledger.tenant, ledger.name), anchor)


def keep_tenant(engine: Engine, environment: str, tenant: str) -> bool:
    """Write the anchor of a tenant's own chain, where a Prefect server is named. False: there is none.

    For commands that act on a tenant (connections, keys, approvals), after their act. An anchor that knows
    of more than the ledger stays as it is: the next run, or ferry audit verify, is to find that.

    Raises:
        AnchorUnavailable: Prefect's server did not take it.
        TenantForgotten: the ledger is a backup from before the tenant was forgotten.
    """
    if not is_named():
        return False
    known = read(environment, tenant, "")
    with engine.connect() as connection:
        destroyed = _is_destroyed(connection, tenant)
        lacks = known is not None and _lacks(connection, known)
    if known is not None and known.forgotten and not destroyed:
        raise _came_back(tenant)
    if not lacks:
        _keep_tenant(engine, environment, tenant)
    return True


def _is_destroyed(connection: Connection, tenant: str) -> bool:
    query = sa.select(DATA_KEY.c.destroyed).where(DATA_KEY.c.tenant == tenant)
    return connection.execute(query).scalar_one_or_none() is not None


def _keep_tenant(engine: Engine, environment: str, tenant: str) -> None:
    with engine.connect() as connection:
        head, destroyed = audit.head(connection, tenant), _is_destroyed(connection, tenant)
    anchor = Anchor(
        environment=environment,
        tenant=tenant,
        integration="",
        epoch=0,
        audit_seq=head.seq,
        audit_head=head.chain,
        tenant_seq=head.seq,
        tenant_head=head.chain,
        ledger="",
        forgotten=destroyed,
    )
    _write(name_of(environment, tenant, ""), anchor)


def read(environment: str, tenant: str, integration: str) -> Anchor | None:
    """An anchor, or None where there is none.

    Raises:
        AnchorUnavailable: Prefect's server does not answer, or somebody wrote something else there.
    """
    name = name_of(environment, tenant, integration)
    with _server() as client:
        found = client.read_variable_by_name(name)
    return None if found is None else _parsed(name, found.value)


def everywhere(environment: str) -> dict[Chain, list[Head]]:
    """Every chain's anchored heads in this environment.

    Raises:
        AnchorUnavailable: Prefect's server does not answer, or somebody wrote something else there.
    """
    heads: dict[Chain, list[Head]] = defaultdict(list)
    for anchor in _all(environment):
        heads[anchor.tenant, anchor.integration].append(Head(anchor.audit_seq, anchor.audit_head))
        heads[anchor.tenant, ""].append(Head(anchor.tenant_seq, anchor.tenant_head))
    return heads


def _all(environment: str) -> Generator[Anchor]:
    tagged = {"variables": {"tags": {"all_": [TAG]}}, "limit": PAGE}
    offset = 0
    while True:
        with _server() as client:
            answer = client.request("POST", "/variables/filter", json=tagged | {"offset": offset})
        page = answer.json()
        for one in page:
            anchor = _parsed(one["name"], one["value"])
            if anchor.environment == environment:
                yield anchor
        offset += len(page)
        if len(page) < PAGE:
            return


def _parsed(name: str, value: object) -> Anchor:
    try:
        return Anchor.model_validate(value)
    except ValidationError:
        failure = f"prefect: variable {name} is no anchor of Ferry's; delete it to have it made again"
    raise AnchorUnavailable(failure)


def _write(name: str, anchor: Anchor) -> None:
    value = anchor.model_dump(mode="json")
    with _server() as client:
        try:
            client.update_variable(VariableUpdate(name=name, value=value, tags=[TAG]))
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 404:
                raise
            client.create_variable(VariableCreate(name=name, value=value, tags=[TAG]))


def _identity(ledger: Ledger) -> str:
    return ledger.seal.keyed_hash("anchor", ledger.integration)


@contextmanager
def _server() -> Generator[SyncPrefectClient]:
    """A server that does not answer is one line."""
    try:
        with server() as client:
            yield client
    except ServerUnavailable as error:
        failure = str(error).removeprefix("prefect: ")
    else:
        return
    raise AnchorUnavailable(
        f"prefect: the ledger's anchor cannot be read or written: {failure}; nothing is sent"
    )
