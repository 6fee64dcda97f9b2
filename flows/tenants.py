"""deployments/<tenant>/ as frozen models: who, with which instructions, to where. Data, no code."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import Field, JsonValue, ValidationError

from agent.instructions import Instructions
from agent.policy import Grant, OperationGrant, Policy
from connectors.base import Settings
from connectors.entry import Category
from connectors.tabular import Column, Table
from flows.errors import Spoken
from flows.parameters import Name


class IntegrationInvalid(Spoken):
    """An integration's files cannot be used. One line: which file, what, what to do."""


class ColumnGrant(Settings):
    """One column of a target's table: its type, and where its value may come from."""

    type: str
    from_: tuple[str, ...] = Field(default=(), alias="from")
    constants: tuple[JsonValue, ...] = ()
    transforms: tuple[str, ...] = ()
    computed: bool = False
    key: bool = False  # part of the row's key, beside the patient


class TableGrant(Settings):
    """One table: `patient` names the key column that holds the patient's id, bound by the engine."""

    name: str
    patient: str = "patient_id"
    columns: dict[str, ColumnGrant]
    at_most: int = 1  # rows for one entry

    def table(self) -> Table:
        keys = tuple(name for name, column in self.columns.items() if column.key)
        columns = {
            name: Column.model_validate({"type": column.type}) for name, column in self.columns.items()
        }
        return Table(
            name=self.name,
            patient=self.patient,
            key=(self.patient, *keys),
            columns={self.patient: Column(type="str")} | columns,
        )


class ArgumentGrant(Settings):
    """Where one argument of a write may come from."""

    from_: tuple[str, ...] = Field(default=(), alias="from")
    constants: tuple[JsonValue, ...] = ()
    transforms: tuple[str, ...] = ()
    computed: bool = False
    free_text: bool = False


class WriteGrant(Settings):
    """One granted write of a connector that is no table."""

    arguments: dict[str, ArgumentGrant]
    at_most: int = 1


class Target(Settings):
    """A system that receives: the connection it is reached by, and what may go there."""

    connection: Name
    categories: tuple[Category, ...]
    tables: tuple[TableGrant, ...] = ()
    writes: dict[str, WriteGrant] = Field(default_factory=dict[str, WriteGrant])
    options: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue]
    )  # the connector's own: csv's null marker, …


class Deciding(Settings):
    """Who decides. by: "program", or a pydantic-ai model id, or "openai-compatible:<model>"."""

    by: str = "program"
    connection: Name | None = None  # where an OpenAI-compatible endpoint is reached
    lookups: tuple[str, ...] = ()  # full names of the lookups that a model may use
    reveal: tuple[Category, ...] = (Category.STATUS, Category.SCHEDULE, Category.TAGS)


class Limits(Settings):
    """The breaker: what is more than this in one run waits for a person."""

    share: float = 0.5  # of the known entries, written in one run
    at_least: int = 200  # writes that are always allowed
    blanked: float = 0.2  # share of a batch's rows in which a value would become empty


class Integration(Settings):
    """One direction of one tenant, as its folder says."""

    source: Name = "healthie"  # the connection entries are read through
    fields: tuple[str, ...]  # what is read: the minimum-necessary manifest
    decide: Deciding = Deciding()
    targets: dict[Name, Target]
    limits: Limits = Limits()
    sweep_every: timedelta = timedelta(days=7)

    def grants(self) -> dict[str, OperationGrant]:
        """What each write may be given, by full name."""
        granted: dict[str, OperationGrant] = {}
        for name, target in self.targets.items():
            for table in target.tables:
                granted[f"{name}_upsert_{table.name}"] = OperationGrant(
                    arguments={column: _grant(grant) for column, grant in table.columns.items()},
                    at_most=table.at_most,
                )
            for write, given in target.writes.items():
                arguments = {argument: _grant(grant) for argument, grant in given.arguments.items()}
                granted[f"{name}_{write}"] = OperationGrant(arguments=arguments, at_most=given.at_most)
        return granted

    def policy(self, instructions: Instructions) -> Policy:
        return Policy(
            operations=self.grants(),
            sentences=instructions.numbers,
            categories={name: target.categories for name, target in self.targets.items()},
            by="program" if self.decide.by == "program" else "model",
            reasons=instructions.reasons,
        )


class ConnectionSettings(Settings):
    """How a system is reached. Values that start with `$` name an environment variable."""

    connector: Literal["healthie", "sql", "csv", "probe", "model"]
    settings: dict[str, str]


class Tenant(Settings):
    """One practice: its connections, by name."""

    connections: dict[Name, ConnectionSettings]


class Deployment(Settings):
    """One integration with all that belongs to it."""

    tenant: Name
    name: Name
    connections: dict[Name, ConnectionSettings]
    integration: Integration
    instructions: Instructions

    @property
    def label(self) -> str:
        return f"{self.tenant}/{self.name}"


def load(root: Path, label: str) -> Deployment:
    """The deployment `tenant/integration` below a folder of deployments.

    Raises:
        IntegrationInvalid: a file is missing or says what is not understood.
    """
    tenant, _, name = label.partition("/")
    folder = root / tenant / name
    if not name or not folder.is_dir():
        known = ", ".join(labels(root)) or "none"
        raise IntegrationInvalid(f"{label}: no such integration below {root}; there are: {known}")
    described = load_tenant(root, tenant)
    integration = _model(folder / "integration.yaml", Integration)
    _check_connections(folder, described, integration)
    return Deployment(
        tenant=tenant,
        name=name,
        connections=described.connections,
        integration=integration,
        instructions=Instructions.load(folder),
    )


def load_tenant(root: Path, tenant: str) -> Tenant:
    """What tenant.yaml says.

    Raises:
        IntegrationInvalid: it is missing or says what is not understood.
    """
    return _model(root / tenant / "tenant.yaml", Tenant)


def labels(root: Path) -> list[str]:
    """Every integration below a folder: ["demo/warehouse", …]."""
    found = sorted(root.glob("*/*/integration.yaml"))
    return [f"{path.parent.parent.name}/{path.parent.name}" for path in found]


Kind = TypeVar("Kind", bound=Settings)


def _model(path: Path, kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise IntegrationInvalid(f"{path}: cannot be read ({error.strerror}); put the file there") from None
    except yaml.YAMLError as error:
        line = (
            error.problem_mark.line + 1
            if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark
            else 1
        )
        raise IntegrationInvalid(
            f"{path}:{line}: is not YAML; look at the indentation and quotes there"
        ) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise IntegrationInvalid(f"{path}: {place}: {first['msg']}; correct it and start again") from None


def _check_connections(folder: Path, tenant: Tenant, integration: Integration) -> None:
    named = {integration.source, *(target.connection for target in integration.targets.values())}
    if integration.decide.connection:
        named.add(integration.decide.connection)
    for connection in sorted(named - set(tenant.connections)):
        raise IntegrationInvalid(
            f"{folder / 'integration.yaml'}: connection {connection} is not in tenant.yaml; add it there"
        )


def _grant(grant: ColumnGrant | ArgumentGrant) -> Grant:
    return Grant(
        sources=grant.from_,
        constants=grant.constants,
        transforms=grant.transforms,
        computed=grant.computed,
        free_text=isinstance(grant, ArgumentGrant) and grant.free_text,
    )
