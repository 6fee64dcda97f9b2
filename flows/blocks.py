"""Sealed connections as Prefect blocks. Prefect keeps them, and can read none of their secrets.

Its own encryption of blocks has its key in the same database, so only sealed values are stored. A block's
clear fields are for people who look; what a run relies on is inside the seal.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, TypeVar

from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from pydantic import ConfigDict, SecretStr, ValidationError
from pydantic_core import to_json

from connectors.base import Account, Settings
from flows import naming
from flows.errors import Spoken
from flows.reach import sealed_connections, server
from flows.vault import Seal, SealBroken

Value = TypeVar("Value")
PURPOSE = "connection"


class ConnectionUnusable(Spoken):
    """A stored connection does not open, or its name is taken. One line."""


class SealedConnection(Block):
    """A tenant's access to one system: sealed, with the account that it reached."""

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "Sealed connection"
    _block_type_slug = naming.BLOCK_TYPE
    _description = (
        "A tenant's access to one system. Made by: ferry connect. Nothing in it opens outside of Ferry."
    )

    tenant: str
    connection: str
    connector: str
    account: str  # whom the credentials reached
    sandbox: bool
    missing: tuple[str, ...] = ()  # permissions that the account lacks
    sealed: str  # base64 of the envelope: the secrets, and the account again
    checked: datetime
    rotated: datetime  # when the secrets were last given


class Contents(Settings):
    """What is inside the seal."""

    secrets: dict[str, SecretStr]
    account: Account


def seal(contents: Contents, key: Seal, connection: str) -> str:
    """The contents as text that opens for this key's tenant and environment and this connection only."""
    opened = {name: secret.get_secret_value() for name, secret in contents.secrets.items()}
    plain = to_json({"secrets": opened, "account": contents.account})
    return base64.b64encode(key.envelope(plain, system=connection, purpose=PURPOSE)).decode()


def open_sealed(block: SealedConnection, key: Seal, tenant: str, connection: str) -> Contents:
    """What is inside. The context is the caller's, never the block's own.

    Raises:
        ConnectionUnusable: it was sealed for another tenant, connection or environment, or changed.
    """
    try:
        envelope = base64.b64decode(block.sealed, validate=True)
        plain = key.open_envelope(envelope, system=connection, purpose=PURPOSE)
        contents = Contents.model_validate_json(plain)
        if (block.account, block.connector) == (contents.account.identity, contents.account.system):
            return contents
    except (binascii.Error, SealBroken, ValidationError):
        pass
    # outside of the `except`: no context is kept
    raise ConnectionUnusable(
        f"{tenant}: connection {connection} does not open: it was sealed for another tenant, connection or "
        f"environment, or changed; run: ferry connect {tenant} {connection}"
    )


def find(tenant: str, connection: str) -> SealedConnection | None:
    """The stored block, if there is one.

    Raises:
        ConnectionUnusable: the name belongs to another connection. ServerUnavailable.
    """
    name, slug = naming.block(tenant, connection), naming.BLOCK_TYPE

    def ask(client: SyncPrefectClient) -> SealedConnection | None:
        try:
            return _parsed(client.read_block_document_by_name(name, slug))
        except ObjectNotFound:
            return None

    block = _asked(ask)
    if block is not None and (block.tenant, block.connection) != (tenant, connection):
        raise ConnectionUnusable(
            f"{tenant}: connection {connection} has the block {name}, which is of {block.tenant}'s "
            f"{block.connection}; rename one of them in tenant.yaml"
        )
    return block


def store(block: SealedConnection) -> None:
    """Keep the block, in place of the one before. Raises as `find`."""
    find(block.tenant, block.connection)

    def ask(_client: SyncPrefectClient) -> None:
        block.save(naming.block(block.tenant, block.connection), overwrite=True)

    _asked(ask)


def remove(tenant: str, connection: str) -> bool:
    """Delete the block; False if there was none. Raises as `find`."""
    if find(tenant, connection) is None:
        return False
    name, slug = naming.block(tenant, connection), naming.BLOCK_TYPE

    def ask(client: SyncPrefectClient) -> None:
        document = client.read_block_document_by_name(name, slug, include_secrets=False)
        client.delete_block_document(document.id)

    _asked(ask)
    return True


def stored(tenant: str = "") -> list[SealedConnection]:
    """All blocks, or one tenant's, by tenant and connection. Raises as `find`, for those asked for."""
    with server() as client:
        documents = sealed_connections(client)
    begins = naming.block(tenant, "") if tenant else ""
    mine = [one for one in documents if (one.name or "").startswith(begins)]
    if tenant:  # the beginning is also that of a tenant acme-west
        mine = [one for one in mine if one.data.get("tenant", tenant) == tenant]
    return sorted((_parsed(one) for one in mine), key=lambda block: (block.tenant, block.connection))


def _parsed(document: BlockDocument) -> SealedConnection:
    try:
        return SealedConnection.model_validate(document.data)
    except ValidationError:
        pass
    raise ConnectionUnusable(
        f"prefect: the block {document.name} is not as Ferry wrote it; delete it and connect again"
    )


def _asked(ask: Callable[[SyncPrefectClient], Value]) -> Value:
    """What Prefect's server answers. Raises ServerUnavailable."""
    with server() as client:
        return ask(client)
