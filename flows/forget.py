"""Forgetting a tenant: its data key is destroyed, and with it everything that was sealed by it."""

from dataclasses import dataclass
from datetime import datetime

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from sqlalchemy.engine import Engine

from flows.ledger import keys
from flows.ledger.store import connect
from flows.settings import Settings
from flows.vault.configured import key_encryption_key

BLOCK_TYPE = "sealed-connection"
PAGE = 200


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done, and what could not be."""

    tenant: str
    on: datetime
    scrubbed: bool  # no former form of the key is in the database's own files
    blocks: int | None  # removed from Prefect; None: Prefect did not answer


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
    destroyed = keys.destroy(engine, key_encryption_key(settings), settings.env, tenant).destroyed
    assert destroyed is not None
    return Forgotten(tenant, destroyed, scrubbed=keys.scrub(engine), blocks=_remove_blocks(tenant))


def _remove_blocks(tenant: str) -> int | None:
    """How many blocks were removed; None if there is no Prefect, or not all of them could be."""
    if not PREFECT_API_URL.value():
        return None
    try:
        with get_client(sync_client=True) as client:
            mine = _blocks_of(client, tenant)
            for block in mine:
                client.delete_block_document(block.id)
    except (httpx.HTTPError, ObjectNotFound):
        return None
    return len(mine)


def _blocks_of(client: SyncPrefectClient, tenant: str) -> list[BlockDocument]:
    """By name and by the tenant that each says: "ferry-acme-" also begins the names of a tenant acme-west."""
    found: list[BlockDocument] = []
    while True:
        page = _page(client, len(found))
        found += page
        if len(page) < PAGE:
            break
    begins = f"ferry-{tenant}-".replace("_", "-")
    return [one for one in found if (one.name or "").startswith(begins) and one.data.get("tenant") == tenant]


def _page(client: SyncPrefectClient, offset: int) -> list[BlockDocument]:
    try:
        return client.read_block_documents_by_type(BLOCK_TYPE, offset, PAGE, include_secrets=False)
    except ObjectNotFound:
        return []  # nobody ever connected a system
    except httpx.HTTPStatusError as error:
        if error.response.status_code == 404:
            return []
        raise
