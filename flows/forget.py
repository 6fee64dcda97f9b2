"""Forgetting a tenant: its data key is destroyed, and with it everything that was sealed by it."""

from dataclasses import dataclass
from datetime import datetime

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from sqlalchemy.engine import Engine

from flows import anchor, naming
from flows.anchor import AnchorUnavailable
from flows.errors import ServerUnavailable
from flows.ledger import keys, stages
from flows.ledger.database import connect
from flows.ledger.store import whose
from flows.reach import sealed_connections, server
from flows.settings import Settings
from flows.vault.configured import key_encryption_key


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done, and what could not be."""

    tenant: str
    on: datetime
    scrubbed: bool  # no former form of the key is in the database's own files
    blocks: int | None  # removed from Prefect, and it is anchored there; None: Prefect did not answer


def forget(settings: Settings, tenant: str) -> Forgotten:
    """Destroy the tenant's data key, then its connections' blocks. Cut off anywhere, it may be called again.

    Raises:
        TenantUnknown: the ledger has no such tenant. LedgerUnavailable, SealBroken, KeyUnavailable.
    """
    engine = connect(settings.ledger())
    try:
        return _forget(engine, settings, tenant)
    finally:
        engine.dispose()


def _forget(engine: Engine, settings: Settings, tenant: str) -> Forgotten:
    keys.key_of(engine, tenant)  # a wrong name is told before a key file is asked for its passphrase
    kek = key_encryption_key(settings)
    for stage in [one for one in stages.all_of(engine, tenant) if one.destroyed is None]:
        stages.destroy(engine, kek, settings.env, stage)
    for one in keys.all_of(engine):  # also of a stage that never began: its first run was cut off
        if one.tenant != tenant and whose(one.tenant) == tenant:
            keys.destroy(engine, kek, settings.env, one.tenant)
    destroyed = keys.destroy(engine, kek, settings.env, tenant).destroyed
    assert destroyed is not None
    scrubbed, blocks = keys.scrub(engine), _remove_blocks(tenant)
    try:
        anchor.keep_tenant(engine, settings.env, tenant)
    except AnchorUnavailable:
        blocks = None
    return Forgotten(tenant, destroyed, scrubbed, blocks)


def _remove_blocks(tenant: str) -> int | None:
    """How many blocks were removed; None if there is no Prefect, or not all of them could be."""
    try:
        with server() as client:
            mine = _blocks_of(client, tenant)
            for block in mine:
                client.delete_block_document(block.id)
    except (ServerUnavailable, ObjectNotFound):
        return None
    return len(mine)


def _blocks_of(client: SyncPrefectClient, tenant: str) -> list[BlockDocument]:
    """By name and by the tenant that each says: "ferry-acme-" also begins the names of a tenant acme-west."""
    begins = naming.block(tenant, "")
    return [
        one
        for one in sealed_connections(client)
        if (one.name or "").startswith(begins) and one.data.get("tenant") == tenant
    ]
