"""Connections: connect, connections, disconnect. Secrets are read hidden, never from arguments."""

import getpass
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, cast

import typer
from pydantic import SecretStr

from flows import blocks, connecting, server
from flows.accounts import told
from flows.cli.app import app, say
from flows.connecting import ConnectionRefused, Field, Line
from flows.errors import ServerUnavailable
from flows.opening import tenant_seal
from flows.settings import PRODUCTION, Settings
from flows.tenants import ConnectionSettings, IntegrationInvalid, load_tenant

LARGEST = 256 * 1024  # characters of secrets on standard input
Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="a folder below deployments/")]
Name = Annotated[str, typer.Argument(metavar="CONNECTION", help="its name in tenant.yaml")]


@app.command()
def connect(
    tenant: Tenant,
    connection: Name,
    new_account: Annotated[
        bool, typer.Option("--new-account", help="agree that another account is reached than before")
    ] = False,
) -> None:
    """Give a connection its secrets: asked for hidden, tried, sealed and stored.

    Where standard input is no terminal it is read as one JSON object: {"api_key": "…"}.
    """
    settings = Settings()
    described = _described(settings, tenant, connection)
    secrets = _secrets(connection, connecting.fields(described))
    _server_is_named(settings)
    with server.at_hand(settings.home / "prefect"), tenant_seal(settings, tenant) as seal:
        account = connecting.checked(tenant, connection, described, secrets, environment=settings.env)
        say(f"reached {told(account)}")
        if account.missing:
            say(f"it lacks {', '.join(account.missing)}: runs that need them refuse to start")
        connecting.keep(
            settings,
            tenant,
            connection,
            account,
            secrets,
            seal,
            agreed=lambda line: new_account or _agreed(line),
        )
    say(f"{tenant}: connection {connection} is pinned to that account, sealed and stored")


@app.command()
def connections(
    tenant: Annotated[str, typer.Argument(metavar="[TENANT]", help="a folder below deployments/")] = "",
) -> None:
    """List connections: system, account, when checked, when rotated, where the values come from."""
    settings = Settings()
    _server_is_named(settings)
    with server.at_hand(settings.home / "prefect"):
        tenants = [tenant] if tenant else _tenants(settings)
        found = [line for one in tenants for line in connecting.lines(one, _written(settings, one))]
    for line in found:
        say(_told(line))
    if not found:
        say("no connections; name them in tenant.yaml, then run: ferry connect TENANT CONNECTION")


@app.command()
def disconnect(
    tenant: Tenant,
    connection: Name,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Delete a connection's stored secrets and its pinned account. Runs that need it refuse to start."""
    settings = Settings()
    _server_is_named(settings)
    with server.at_hand(settings.home / "prefect"):
        if not yes and not _agreed(f"{tenant}: connection {connection} will be deleted for good"):
            raise ConnectionRefused(
                f"{tenant}: connection {connection} was left as it is; run it again with --yes to delete it"
            )
        connecting.forget(settings, tenant, connection)
    say(f"{tenant}: connection {connection} is deleted; withdraw its key at the system, too")


def _described(settings: Settings, tenant: str, connection: str) -> ConnectionSettings:
    there = load_tenant(settings.deployments, tenant).connections
    if connection not in there:
        raise IntegrationInvalid(
            f"{tenant}: tenant.yaml has no connection {connection}; there are: {', '.join(sorted(there))}"
        )
    return there[connection]


def _secrets(connection: str, asked: Sequence[Field]) -> dict[str, SecretStr]:
    """The secrets from the terminal, hidden, or from standard input."""
    given = _typed(connection, asked) if sys.stdin.isatty() else _piped(asked)
    for field in asked:
        if field.needed and not given.get(field.name, "").strip():
            raise ConnectionRefused(f"{connection}: {field.name} was not given; nothing was changed")
    return {name: SecretStr(text.strip()) for name, text in given.items() if text.strip()}


def _typed(connection: str, asked: Sequence[Field]) -> dict[str, str]:
    return {
        field.name: getpass.getpass(
            f"{connection} {field.name}{'' if field.needed else ' (empty: none)'}, hidden: "
        )
        for field in asked
    }


def _piped(asked: Sequence[Field]) -> dict[str, str]:
    """Raises ConnectionRefused, which quotes nothing of the input."""
    names = {field.name for field in asked}
    if not names:
        return {}
    try:
        given: object = json.loads(sys.stdin.read(LARGEST))
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(
        name in names and isinstance(text, str) for name, text in cast("dict[str, object]", given).items()
    ):
        wanted = ", ".join(f'"{name}": "…"' for name in sorted(names))
        raise ConnectionRefused(
            f"standard input is not one JSON object of texts {{{wanted}}}; nothing was changed"
        )
    return cast("dict[str, str]", given)


def _agreed(line: str) -> bool:
    """A person's yes. Where there is no terminal there is nobody to ask."""
    return sys.stdin.isatty() and typer.confirm(f"{line}. Go on?")


def _server_is_named(settings: Settings) -> None:
    """In production a server of this machine's own would be the wrong one."""
    if settings.env == PRODUCTION and not os.environ.get("PREFECT_API_URL"):
        raise ServerUnavailable(
            "prefect: production's connections are on its Prefect server; set PREFECT_API_URL and try again"
        )


def _tenants(settings: Settings) -> list[str]:
    files = {path.parent.name for path in settings.deployments.glob("*/tenant.yaml")}
    return sorted(files | {block.tenant for block in blocks.stored()})


def _written(settings: Settings, tenant: str) -> dict[str, ConnectionSettings]:
    """What the tenant's file says; nothing if only stored connections are left of the tenant."""
    if not (settings.deployments / tenant / "tenant.yaml").exists() and blocks.stored(tenant):
        return {}
    return dict(load_tenant(settings.deployments, tenant).connections)


def _told(line: Line) -> str:
    parts = [
        f"{line.tenant}/{line.name}",
        line.connector,
        line.account or "no pinned account",
        f"checked {_day(line.checked)}",
        f"rotated {_day(line.rotated)}",
        line.values,
    ]
    return "  ".join(parts) + (f"  lacks {', '.join(line.missing)}" if line.missing else "")


def _day(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
