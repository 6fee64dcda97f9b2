"""Connections: from a tenant's settings to open connectors. Secrets come from the environment.

Sealed Prefect blocks take the environment's place on a server; nothing else knows where a
connection's values come from.
"""

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from agent.agent import PROGRAM, Access, Decider, View
from agent.check import check_program
from agent.gate import Gate
from agent.policy import Policy
from connectors.base import Connector
from connectors.csv import Csv, CsvCredentials, Format
from connectors.entry import Category, EntryField
from connectors.healthie import Healthie, HealthieCredentials
from connectors.operation import Lookup, Write
from connectors.sandbox.probe import Probe, ProbeCredentials
from connectors.sql import Sql, SqlCredentials
from flows.tenants import Deployment, IntegrationInvalid, Target

Settings = TypeVar("Settings", bound=BaseModel)


def source(deployment: Deployment) -> Healthie:
    """The integration's Healthie, to read only: every other document is refused by its guard."""
    settings = _settings(deployment, deployment.integration.source, "healthie")
    return Healthie(_model(deployment, HealthieCredentials, settings), read_only=True)


def targets(deployment: Deployment) -> dict[str, Connector]:
    """The open targets, by their name in the integration."""
    return {name: _target(deployment, target) for name, target in deployment.integration.targets.items()}


def _target(deployment: Deployment, target: Target) -> Connector:
    kind = deployment.connections[target.connection].connector
    settings = _settings(deployment, target.connection, kind)
    tables = [table.table() for table in target.tables]
    makers: Mapping[str, Callable[[], Connector]] = {
        "healthie": lambda: Healthie(_model(deployment, HealthieCredentials, settings), read_only=False),
        "sql": lambda: Sql(_model(deployment, SqlCredentials, settings), tables),
        "csv": lambda: Csv(
            _model(deployment, CsvCredentials, settings), tables, _model(deployment, Format, target.options)
        ),
        "probe": lambda: Probe(_model(deployment, ProbeCredentials, settings)),
    }
    if kind not in makers:
        raise IntegrationInvalid(
            f"{deployment.label}: {kind} cannot be a target; see the README for those that can"
        )
    return makers[kind]()


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
    entries: Healthie,
) -> Decider:
    """Who decides, behind the gate."""
    fields = entries.fields()

    def category(path: str) -> Category | None:
        return fields[path].category if path in fields else None

    _check_program(deployment, policy, granted, fields)
    deciding = deployment.integration.decide
    lookups: dict[str, Lookup] = {
        f"{name}_{short}": lookup
        for name, target in opened.items()
        for short, lookup in target.lookups().items()
    }
    return Decider(
        gate=Gate(policy, granted, category),
        policy=policy,
        instructions=deployment.instructions,
        writes=granted,
        model=deciding.by,
        lookups={name: lookups[name] for name in deciding.lookups},
        view=View(category, deciding.reveal),
        access=_access(deployment),
    )


def _check_program(
    deployment: Deployment, policy: Policy, granted: Mapping[str, Write], fields: Mapping[str, EntryField]
) -> None:
    source = deployment.instructions.program
    if deployment.integration.decide.by != PROGRAM or source is None:
        return
    used = [fields[path] for path in deployment.integration.fields]
    for problem in check_program(source, policy, granted, used):
        raise IntegrationInvalid(f"{deployment.label}: program.py: {problem}; correct it and start again")


def _access(deployment: Deployment) -> Access:
    name = deployment.integration.decide.connection
    if name is None:
        return Access()
    return _model(deployment, Access, _settings(deployment, name, "model"))


def _settings(deployment: Deployment, connection: str, kind: str) -> dict[str, str]:
    described = deployment.connections[connection]
    if described.connector != kind:
        raise IntegrationInvalid(
            f"{deployment.label}: connection {connection} is {described.connector}, not {kind}"
        )
    return {name: _value(deployment, connection, value) for name, value in described.settings.items()}


def _value(deployment: Deployment, connection: str, value: str) -> str:
    if not value.startswith("$"):
        return value
    found = os.environ.get(value[1:])
    if not found:
        raise IntegrationInvalid(
            f"{deployment.label}: connection {connection} needs {value[1:]} in the environment; set it"
        )
    return found


def _model(deployment: Deployment, kind: type[Settings], settings: Mapping[str, JsonValue]) -> Settings:
    try:
        return kind.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise IntegrationInvalid(f"{deployment.label}: connection setting {place}: {first['msg']}") from None
