"""Connections: from a tenant's settings to open connectors.

A connection's values are what tenant.yaml says and the opened secrets of its sealed block. They are put
together on the line that makes the connector, and kept nowhere.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from agent.agent import PROGRAM, Access, Decider, Judging, Terms
from agent.budget import Meter
from agent.check import check_program
from agent.failures import CannotAsk
from agent.gate import Gate
from agent.policy import Policy
from connectors.base import Account, Connector
from connectors.entry import Category, EntryField
from connectors.operation import Lookup, Write
from connectors.source import Source
from flows import blocks, models, reach, server, systems, values
from flows.asking import Asking
from flows.blocks import SealedConnection
from flows.settings import PRODUCTION, Settings
from flows.systems import SYSTEMS, System
from flows.tenants import ConnectionSettings, Deployment, IntegrationInvalid, Target
from flows.vault import Seal

Made = TypeVar("Made")


class Connections:
    """One tenant's connections. Blocks are read once, and opened each time a connector is made."""

    def __init__(
        self, tenant: str, described: Mapping[str, ConnectionSettings], seal: Seal, *, environment: str
    ) -> None:
        self.tenant = tenant
        self.environment = environment
        self._described = described
        self.seal = seal
        self._blocks: dict[str, SealedConnection | None] = {}

    def system(self, name: str) -> System:
        return SYSTEMS[self._described[name].connector]

    def values(self, name: str) -> dict[str, JsonValue]:
        """All values of a connection, its secrets opened: for the line that makes the connector.

        Raises:
            IntegrationInvalid, ValueMissing, ConnectionUnusable, ServerUnavailable
        """
        found: dict[str, JsonValue] = {}
        block = self._block(name)
        if block is not None:
            opened = blocks.open_sealed(block, self.seal, self.tenant, name)
            found |= {field: secret.get_secret_value() for field, secret in opened.secrets.items()}
        found |= described(self.tenant, name, self._described[name], environment=self.environment)
        for field in self.system(name).needed:
            if field not in found:
                raise IntegrationInvalid(
                    f"{self.tenant}: connection {name} has no {field}; "
                    f"run: ferry connect {self.tenant} {name}"
                )
        return found

    def pin(self, name: str) -> Account | None:
        """The account that was reached when the connection was made; None if nothing was pinned."""
        block = self._block(name)
        return None if block is None else blocks.open_sealed(block, self.seal, self.tenant, name).account

    def _block(self, name: str) -> SealedConnection | None:
        """The stored block. Values of the environment alone are one machine's: nothing is asked for then."""
        if name not in self._blocks:
            self._blocks[name] = blocks.find(self.tenant, name) if self._is_stored(name) else None
        return self._blocks[name]

    def _is_stored(self, name: str) -> bool:
        connection = self._described[name]
        if _must_be_stored(connection, self.environment):
            return True
        return _may_be_stored(connection) and reach.is_named()


def _must_be_stored(connection: ConnectionSettings, environment: str) -> bool:
    needed = SYSTEMS[connection.connector].needed
    return environment == PRODUCTION or not set(needed) <= connection.settings.keys()


def _may_be_stored(connection: ConnectionSettings) -> bool:
    secrets, written = SYSTEMS[connection.connector].secrets, connection.settings
    return not secrets or not all(written.get(field, "").startswith(values.ENVIRONMENT) for field in secrets)


def at_hand(
    settings: Settings, described: Mapping[str, ConnectionSettings], names: Iterable[str | None]
) -> AbstractContextManager[object]:
    """The Prefect server that keeps these connections while this lasts; none, if none can be kept there.

    To start one takes half a minute: that is spared where all secrets are the environment's.
    """
    for connection in (described[name] for name in names if name):
        if _must_be_stored(connection, settings.env) or _may_be_stored(connection):
            return server.at_hand(settings.home / "prefect")
    return nullcontext()


def described(
    tenant: str, name: str, connection: ConnectionSettings, *, environment: str
) -> dict[str, JsonValue]:
    """The values that tenant.yaml says or points to.

    Raises:
        IntegrationInvalid: a secret is in the file, or a stand-in in production. ValueMissing.
    """
    settings = connection.settings
    for field in SYSTEMS[connection.connector].secrets:
        if field in settings and not values.is_reference(settings[field]):
            raise IntegrationInvalid(
                f"{tenant}: tenant.yaml holds {field} of connection {name} in clear; take it out, "
                f"change it at the system, and run: ferry connect {tenant} {name}"
            )
    where = f"{tenant}: connection {name}"
    found = {field: values.value(where, text, environment=environment) for field, text in settings.items()}
    for field in SYSTEMS[connection.connector].local(found) if environment == PRODUCTION else ():
        raise IntegrationInvalid(f"{where}: {field} is {systems.LOCAL}")
    return {**found}


def made(tenant: str, name: str, make: Callable[[], Made]) -> Made:
    """What `make` gives. Values that a connector refuses become one line, which quotes none of them."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        problem = f"{'.'.join(str(part) for part in first['loc']) or 'settings'}: {first['msg']}"
    raise IntegrationInvalid(
        f"{tenant}: connection {name}: {problem}; correct it in tenant.yaml, or connect again"
    )


def source(deployment: Deployment, opened: Connections) -> Source:
    """The integration's source, to read only: nothing but reads leaves it."""
    return read_through(deployment.integration.source, deployment, opened)


def read_through(name: str, deployment: Deployment, opened: Connections) -> Source:
    """A connection as a source: the integration's own, or that of the one it is paired with."""
    make = opened.system(name).source
    if make is None:
        kind = deployment.connections[name].connector
        raise IntegrationInvalid(
            f"{deployment.label}: connection {name} is {kind}, which entries cannot be read from; "
            f"name one of {' or '.join(systems.sources())}"
        )
    return made(opened.tenant, name, lambda: make(opened.values(name)))


def targets(deployment: Deployment, opened: Connections) -> dict[str, Connector]:
    """The open targets, by their name in the integration."""
    return {
        name: as_target(deployment, target, opened) for name, target in deployment.integration.targets.items()
    }


def as_target(
    deployment: Deployment, target: Target, opened: Connections, *, read_only: bool = False
) -> Connector:
    """One target, open. Raises IntegrationInvalid if the connection cannot be one.

    read_only: only reads leave it, and what is to be written is refused.
    """
    name, make = target.connection, opened.system(target.connection).target
    if make is None:
        kind = deployment.connections[name].connector
        raise IntegrationInvalid(f"{deployment.label}: {kind} cannot be a target; see docs/targets.md")
    tables, options = [table.table() for table in target.tables], target.options
    return made(opened.tenant, name, lambda: make(opened.values(name), tables, options, read_only=read_only))


def writes(deployment: Deployment, opened: Mapping[str, Connector]) -> dict[str, Write]:
    """The granted writes by full name, in the order in which the integration declares them.

    Raises:
        IntegrationInvalid: a write is granted that its target does not have.
    """
    offered = {
        f"{name}_{short}": write
        for name, target in opened.items()
        for short, write in target.writes().items()
    }
    granted = deployment.integration.grants()
    for name in granted:
        if name not in offered:
            raise IntegrationInvalid(
                f"{deployment.label}: grants {name}, which no target has; there are: {sorted(offered)}"
            )
    return {name: offered[name] for name in granted}


def decider(
    deployment: Deployment,
    policy: Policy,
    granted: Mapping[str, Write],
    opened: Mapping[str, Connector],
    entries: Source,
    connections: Connections,
    asking: Asking,
    by: str = "",
) -> Decider:
    """Who decides, behind the gate: as the integration says, or the model that is named.

    `asking`: where it is booked what is asked of models.

    Raises:
        IntegrationInvalid: the model may not be asked so, or the program is not right.
    """
    lookups: dict[str, Lookup] = {
        f"{name}_{short}": lookup
        for name, target in opened.items()
        for short, lookup in target.lookups().items()
    }
    by = by or deployment.integration.decide.by
    return deciding(by, deployment, policy, granted, lookups, entries.fields(), connections, asking)


def deciding(
    by: str,
    deployment: Deployment,
    policy: Policy,
    granted: Mapping[str, Write],
    lookups: Mapping[str, Lookup],
    fields: Mapping[str, EntryField],
    connections: Connections,
    asking: Asking,
) -> Decider:
    """The same out of its parts."""

    def category(path: str) -> Category | None:
        return fields[path].category if path in fields else None

    if by == PROGRAM:
        _check_program(deployment, policy, granted, fields)
    decide = deployment.integration.decide
    asked = decide.judge if by == PROGRAM else by
    try:
        return Decider(
            gate=Gate(policy, granted, category),
            policy=policy,
            instructions=deployment.instructions,
            writes=granted,
            model=Judging(asked, asking.judgements) if asked and by == PROGRAM else by,
            lookups={name: lookups[name] for name in decide.lookups},
            view=deployment.view(category),
            terms=terms(deployment, asked, connections, asking.meter) if asked else None,
        )
    except CannotAsk as error:
        raise IntegrationInvalid(f"{deployment.label}: {error}") from None


def terms(deployment: Deployment, id_: str, connections: Connections, meter: Meter) -> Terms:
    """How one of the integration's models is asked: that which decides, or another one that it names.

    Raises:
        IntegrationInvalid: it may not be asked, or not as it is reached.
    """
    deciding, model = deployment.integration.decide, models.allowed(deployment.models, deployment.label, id_)
    access, production = _access(deployment, connections), connections.environment == PRODUCTION
    batch = deciding.batch if deciding.by != PROGRAM else None  # a program waits for its judge's answer
    models.confirm(deployment.label, id_, model, access, batch=batch is not None, production=production)
    return Terms(access, model, meter, batch)


def _check_program(
    deployment: Deployment, policy: Policy, granted: Mapping[str, Write], fields: Mapping[str, EntryField]
) -> None:
    source = deployment.instructions.program
    if source is None:
        return
    used = [fields[path] for path in deployment.manifest.paths]
    for problem in check_program(source, policy, granted, used):
        raise IntegrationInvalid(f"{deployment.label}: program.py: {problem}; correct it and start again")


def _access(deployment: Deployment, opened: Connections) -> Access:
    """How the integration's model is reached.

    Raises:
        IntegrationInvalid: its connection is none of a model's.
    """
    name = deployment.integration.decide.connection
    if name is None:
        return Access()
    kind = deployment.connections[name].connector
    if kind != "model":
        raise IntegrationInvalid(f"{deployment.label}: connection {name} is {kind}, not model")
    return made(opened.tenant, name, lambda: systems.access(opened.values(name)))
