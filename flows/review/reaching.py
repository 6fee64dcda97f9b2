"""Who answers: the accounts behind an integration's connections, each asked once by its own harmless read."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from connectors.base import Account
from connectors.errors import ConnectorError
from flows import accounts, connections
from flows.connections import Connections
from flows.errors import Spoken
from flows.opening import tenant_seal
from flows.settings import Settings
from flows.tenants import Deployment


@dataclass(frozen=True, slots=True)
class Reached:
    """One connection. account: None where nobody answered; trouble says why, in one line."""

    tenant: str
    connection: str
    account: Account | None
    pin: Account | None
    trouble: str = ""

    @property
    def is_pinned(self) -> bool:
        return bool(self.account and self.pin and accounts.same(self.account, self.pin))


def reached(settings: Settings, deployment: Deployment) -> list[Reached]:
    """The source and every target of an integration. Nothing is written, and no entry is read."""
    integration = deployment.integration
    names = dict.fromkeys([integration.source, *(one.connection for one in integration.targets.values())])
    with (
        connections.at_hand(settings, deployment.connections, names),
        tenant_seal(settings, deployment.tenant) as seal,
    ):
        own = Connections(deployment.tenant, deployment.connections, seal, environment=settings.env)
        found = [_reached(own, integration.source, partial(_source, deployment, own))]
        for name, target in integration.targets.items():
            found.append(_reached(own, target.connection, partial(_target, deployment, own, name)))
    return found


def _reached(own: Connections, name: str, ask: Callable[[], Account]) -> Reached:
    try:
        return Reached(own.tenant, name, ask(), own.pin(name))
    except (Spoken, ConnectorError) as error:
        return Reached(
            own.tenant, name, None, None, f"connection {name} does not answer as it should: {error}"
        )


def _source(deployment: Deployment, own: Connections) -> Account:
    with closing(connections.source(deployment, own)) as source:
        return source.check(deployment.manifest.paths)


def _target(deployment: Deployment, own: Connections, name: str) -> Account:
    with closing(connections.as_target(deployment, deployment.integration.targets[name], own)) as target:
        return target.check()
