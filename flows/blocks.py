"""Sealed connections as Prefect blocks. Prefect keeps them, and can read none of their secrets.

Its own encryption of blocks has its key in the same database, so only sealed values are stored. A block's
clear fields are for people who look; what a run relies on is inside the seal.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar, TypeVar

import httpx
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from pydantic import ConfigDict, SecretStr, ValidationError
from pydantic_core import to_json

from connectors.base import Account, Settings
from flows.errors import Spoken
from flows.server import ServerUnavailable
from flows.vault import Seal, SealBroken

Value = TypeVar("Value")
PURPOSE = "connection"
PAGE = 200  # blocks asked for at once


class ConnectionUnusable(Spoken):
    """A stored connection does not open, or its name is taken. One line."""


class SealedConnection(Block):
    """A tenant's access to one system: sealed, with the account that it reached."""

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "Sealed connection"
    _block_type_slug = "sealed-connection"
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


def name_of(tenant: str, connection: str) -> str:
    """The block document's name. Prefect allows no underscore there, so two pairs may have the same."""
    return f"ferry-{tenant}-{connection}".replace("_", "-")


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
    name, slug = name_of(tenant, connection), SealedConnection.get_block_type_slug()

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
        block.save(name_of(block.tenant, block.connection), overwrite=True)

    _asked(ask)


def remove(tenant: str, connection: str) -> bool:
    """Delete the block; False if there was none. Raises as `find`."""
    if find(tenant, connection) is None:
        return False
    name, slug = name_of(tenant, connection), SealedConnection.get_block_type_slug()

    def ask(client: SyncPrefectClient) -> None:
        document = client.read_block_document_by_name(name, slug, include_secrets=False)
        client.delete_block_document(document.id)

    _asked(ask)
    return True


def stored(tenant: str = "") -> list[SealedConnection]:
    """All blocks, or one tenant's, by tenant and connection. Raises ServerUnavailable."""

    def ask(client: SyncPrefectClient) -> list[SealedConnection]:
        found: list[SealedConnection] = []
        while True:
            try:
                page = client.read_block_documents_by_type(
                    SealedConnection.get_block_type_slug(), offset=len(found), limit=PAGE
                )
            except httpx.HTTPStatusError as error:
                if error.response.status_code != HTTPStatus.NOT_FOUND:
                    raise
                return found  # nothing was ever connected: the type is not there
            found += [_parsed(document) for document in page]
            if len(page) < PAGE:
                return found

    blocks = [block for block in _asked(ask) if tenant in ("", block.tenant)]
    return sorted(blocks, key=lambda block: (block.tenant, block.connection))


def server_is_named() -> bool:
    return bool(PREFECT_API_URL.value())


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
    if not server_is_named():
        raise ServerUnavailable(
            "prefect: connections are kept on a Prefect server; start one with `prefect server start` "
            "and set PREFECT_API_URL"
        )
    try:
        with get_client(sync_client=True) as client:
            return ask(client)
    except httpx.HTTPStatusError as error:
        problem = f"answers {error.response.status_code}; see its log"
    except (httpx.HTTPError, RuntimeError):
        problem = "does not answer; start it, or correct PREFECT_API_URL"
    raise ServerUnavailable(f"prefect: the server at {PREFECT_API_URL.value()} {problem}")
