"""Making a connection: the credentials are tried, the account is pinned, the secrets sealed and stored.

Nothing is stored of credentials that do not work, and what was stored before stays until new ones do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import SecretStr

from connectors.base import Account
from connectors.errors import ConnectorError
from connectors.source import Source
from flows import acts, blocks
from flows.accounts import same
from flows.blocks import ConnectionUnusable, Contents, SealedConnection
from flows.connections import described, made
from flows.errors import Spoken
from flows.settings import Settings
from flows.systems import SYSTEMS, access
from flows.tenants import ConnectionSettings
from flows.values import ENVIRONMENT, SECRET_MANAGER
from flows.vault import Seal

Act = Literal["connected", "connected again", "deleted"]


class ConnectionRefused(Spoken):
    """The connection was not made, and nothing was changed. One line."""


@dataclass(frozen=True, slots=True)
class Field:
    """A secret that a person is asked for."""

    name: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of one connection: no secrets."""

    tenant: str
    name: str
    connector: str
    account: str
    checked: datetime | None
    rotated: datetime | None
    values: str  # where they come from
    missing: tuple[str, ...] = ()


def note(settings: Settings, tenant: str, connection: str, act: Act) -> None:
    """Note an act on a connection, before it is done. If this raises, the act does not happen."""
    acts.note(settings, tenant, f"connection {connection} {act}", connection)


def fields(connection: ConnectionSettings) -> tuple[Field, ...]:
    """The secrets that tenant.yaml does not point to."""
    system = SYSTEMS[connection.connector]
    asked = [name for name in system.secrets if name not in connection.settings]
    return tuple(Field(name, name in system.needed) for name in asked)


def checked(
    tenant: str,
    name: str,
    connection: ConnectionSettings,
    secrets: Mapping[str, SecretStr],
    *,
    environment: str,
) -> Account:
    """The account that these credentials reach.

    Raises:
        ConnectionRefused: they do not work. IntegrationInvalid, ValueMissing.
    """
    system = SYSTEMS[connection.connector]
    clear = described(tenant, name, connection, environment=environment)
    reach = system.reach
    if reach is None:
        model = made(tenant, name, lambda: access(clear | _opened(secrets)))
        place = model.base_url or "/".join(part for part in (model.project, model.location) if part)
        return Account(system=connection.connector, identity=place or "by the model's name")
    try:
        connector = made(tenant, name, lambda: reach(clear | _opened(secrets)))
        try:
            if isinstance(connector, Source):  # what a source may need is told now, all of it
                return connector.check(connector.fields())
            return connector.check()
        finally:
            connector.close()
    except ConnectorError as error:
        problem = str(error)
    # outside of the `except`: no context is kept
    raise ConnectionRefused(f"{problem}; nothing was changed, put it right and run it again")


def keep(
    settings: Settings,
    tenant: str,
    name: str,
    account: Account,
    secrets: Mapping[str, SecretStr],
    seal: Seal,
    *,
    agreed: Callable[[str], bool],
) -> None:
    """Pin the account, seal the secrets and store them. `agreed` is asked before another account is pinned.

    Raises:
        ConnectionRefused: nobody agreed. ConnectionUnusable: the name is taken. ServerUnavailable.
    """
    present = blocks.find(tenant, name)
    if present is not None:
        before = _pinned(present, seal, tenant, name)
        if before is None or not same(before, account):
            doubt = f"is pinned to {present.account}" if before else "is pinned by a block that does not open"
            if not agreed(f"{tenant}: connection {name} {doubt}; the new account is {account.identity}"):
                raise ConnectionRefused(
                    f"{tenant}: connection {name} {doubt}, not to {account.identity}; nothing was changed. "
                    "If the new account is right, run it again with --new-account"
                )
    now = datetime.now(UTC)
    block = SealedConnection(
        tenant=tenant,
        connection=name,
        connector=account.system,
        account=account.identity,
        sandbox=account.sandbox,
        missing=account.missing,
        sealed=blocks.seal(Contents(secrets=dict(secrets), account=account), seal, name),
        checked=now,
        rotated=now,
    )
    note(settings, tenant, name, "connected again" if present else "connected")
    blocks.store(block)


def forget(settings: Settings, tenant: str, name: str) -> None:
    """Delete the stored connection.

    Raises:
        ConnectionRefused: there is none. ConnectionUnusable, ServerUnavailable.
    """
    if blocks.find(tenant, name) is None:
        raise ConnectionRefused(f"{tenant}: connection {name} is not stored; see: ferry connections {tenant}")
    note(settings, tenant, name, "deleted")
    blocks.remove(tenant, name)


def lines(tenant: str, written: Mapping[str, ConnectionSettings]) -> list[Line]:
    """A tenant's connections, those of its file and those that are only stored, by name."""
    stored = {block.connection: block for block in blocks.stored(tenant)}
    return [_line(tenant, name, written.get(name), stored.get(name)) for name in sorted({*written, *stored})]


def _line(
    tenant: str, name: str, connection: ConnectionSettings | None, block: SealedConnection | None
) -> Line:
    origin = "sealed, not in tenant.yaml" if connection is None else _origin(connection, block)
    if block is None:
        assert connection is not None
        return Line(tenant, name, connection.connector, "", None, None, origin)
    return Line(
        tenant=tenant,
        name=name,
        connector=block.connector,
        account=f"{block.account} (sandbox)" if block.sandbox else block.account,
        checked=block.checked,
        rotated=block.rotated,
        values=origin,
        missing=block.missing,
    )


def _origin(connection: ConnectionSettings, block: SealedConnection | None) -> str:
    """Where the secrets come from, in words."""
    system, texts = SYSTEMS[connection.connector], connection.settings.values()
    found = dict.fromkeys(text for text in texts if text.startswith(SECRET_MANAGER))
    if any(text.startswith(ENVIRONMENT) for text in texts):
        found["environment"] = None
    if any(field not in connection.settings for field in system.secrets):
        if block is not None:
            found["sealed"] = None
        elif any(field not in connection.settings for field in system.needed):
            found["not connected"] = None
    return ", ".join(found) or "tenant.yaml"


def _pinned(block: SealedConnection, seal: Seal, tenant: str, name: str) -> Account | None:
    try:
        return blocks.open_sealed(block, seal, tenant, name).account
    except ConnectionUnusable:
        return None


def _opened(secrets: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}
