"""deployments/<tenant>/ as frozen models: who, with which instructions, to where. Data, no code."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from agent import manifest as manifests
from agent.access import PROGRAM
from agent.allowed import Allowed
from agent.grants import CategoryOf
from agent.instructions import Instructions
from agent.manifest import Manifest
from agent.plan import Sentences
from agent.policy import Grant, OperationGrant, Policy
from agent.prompt import View
from connectors.base import Settings
from connectors.entry import Category
from connectors.tabular import Column, Table
from connectors.values import ColumnType
from flows import models
from flows.deciding import Deciding
from flows.limits import Limits, Percentage
from flows.meanings import BECAUSE, COMPUTED, CONFIRMED, CONSTANTS, FROM, OWNER, PEOPLE, ROLLOUT, TRANSFORMS
from flows.models import Models
from flows.pairing import Pairing
from flows.parameters import Name
from flows.rehearsal import KEPT_FOR, KeptFor, Proving, Shadow, Staging, Words
from flows.schedules import TimeZone
from flows.written import IntegrationInvalid as IntegrationInvalid
from flows.written import parsed

RoleName = Literal["viewer", "reviewer", "approver"]
Connectors = Literal[
    "healthie", "hubspot", "sql", "csv", "airtable", "excel", "s3", "redshift", "bigquery", "sheets",
    "mongodb", "probe", "model",
]  # fmt: skip


class ValueGrant(Settings):
    """Where a value that is written may come from."""

    from_: tuple[str, ...] = Field(default=(), alias="from", description=FROM)
    constants: tuple[JsonValue, ...] = Field(default=(), description=CONSTANTS)
    transforms: tuple[str, ...] = Field(default=(), description=TRANSFORMS)
    computed: bool = Field(default=False, description=COMPUTED)
    because: Sentences = Field(default=(), description=BECAUSE)
    owner: str | None = Field(default=None, description=OWNER)


class ColumnGrant(ValueGrant):
    """One column of a target's table: its type, and where its value may come from."""

    type: ColumnType
    key: bool = Field(default=False, description="part of the row's key, beside the patient")


class TableGrant(Settings):
    """One table: `patient` names the key column that holds the patient's id, bound by the engine."""

    name: str
    patient: str = Field(default="patient_id", description="the key column that holds the patient's id")
    columns: dict[str, ColumnGrant] = Field(description="each column that may be set")
    at_most: int = Field(default=1, description="rows for one entry")

    def table(self) -> Table:
        keys = tuple(name for name, column in self.columns.items() if column.key)
        columns = {name: Column(type=column.type) for name, column in self.columns.items()}
        return Table(
            name=self.name,
            patient=self.patient,
            key=(self.patient, *keys),
            columns={self.patient: Column(type="str")} | columns,
        )


class ArgumentGrant(ValueGrant):
    """Where one argument of a write may come from."""

    free_text: bool = Field(default=False, description="a model may write words of its own here")


class WriteGrant(Settings):
    """One granted write of a connector that is no table."""

    arguments: dict[str, ArgumentGrant] = Field(description="each argument that may be set")
    at_most: int = Field(default=1, description="calls for one entry")


class Target(Settings):
    """A system that receives: the connection it is reached by, and what may go there."""

    connection: Name = Field(description="a connection of tenant.yaml")
    categories: tuple[Category, ...] = Field(description="the kinds of patient data approved for it")
    confirmed: dict[str, Words] = Field(default_factory=dict[str, str], description=CONFIRMED)
    tables: tuple[TableGrant, ...] = Field(default=(), description="of a target that has rows")
    writes: dict[str, WriteGrant] = Field(
        default_factory=dict[str, WriteGrant], description="of a target that has operations, by name"
    )
    options: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="the connector's own: csv's null marker, …"
    )
    staging: Staging | None = Field(default=None, description="how it is reached in staging, if otherwise")


class Integration(Settings):
    """One direction of one tenant, as its folder says."""

    source: Name = Field(default="healthie", description="the connection entries are read through")
    decide: Deciding = Deciding()
    targets: dict[Name, Target] = Field(description="by a name that the program's operations begin with")
    limits: Limits = Limits()
    rollout: Percentage | None = Field(default=None, description=ROLLOUT)
    sweep_every: timedelta = Field(default=timedelta(days=7), description="how often everyone is read")
    keep_entries: KeptFor = KEPT_FOR
    proof: Proving = Proving()
    shadow: Shadow | None = None
    pair: Pairing | None = None

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

    def connections(self) -> dict[Name, tuple[str | int, ...]]:
        """The connections that it names, each with where in integration.yaml it does so."""
        named: dict[Name, tuple[str | int, ...]] = {self.source: ("source",)}
        for name, target in self.targets.items():
            named.setdefault(target.connection, ("targets", name, "connection"))
            if target.staging:
                named.setdefault(target.staging.connection, ("targets", name, "staging", "connection"))
        if self.decide.connection:
            named.setdefault(self.decide.connection, ("decide", "connection"))
        return named

    def policy(self, instructions: Instructions, timezone: str = "UTC") -> Policy:
        """What the gate holds every plan against. `timezone`: the practice's; see `Deployment.policy`."""
        return Policy(
            operations=self.grants(),
            sentences=instructions.numbers,
            categories={name: target.categories for name, target in self.targets.items()},
            by="program" if self.decide.by == PROGRAM else "model",
            judgement=instructions.judgement,
            timezone=timezone,
            reasons=instructions.reasons,
        )


class ConnectionSettings(Settings):
    """How a system is reached. What is secret is not here, but in the connection's sealed block.

    A value that starts with `$` names an environment variable: for one machine and tests.
    """

    connector: Connectors = Field(
        description="the system; model is how a model is reached, and probe is for tests"
    )
    settings: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="what is not secret; secrets are asked for by: ferry connect TENANT CONNECTION",
    )


class Tenant(Settings):
    """One practice: its time zone, who reviews, and its connections by name."""

    timezone: TimeZone = Field(default="UTC", description="an IANA name; schedules are in it")
    people: dict[Words, RoleName] = Field(default_factory=dict[str, RoleName], description=PEOPLE)
    connections: dict[Name, ConnectionSettings] = Field(description="by a name that integrations use")


class Deployment(Settings):
    """One integration with all that belongs to it."""

    tenant: Name
    name: Name
    timezone: TimeZone = "UTC"
    connections: dict[Name, ConnectionSettings]
    integration: Integration
    instructions: Instructions
    manifest: Manifest
    models: Models  # that may be asked

    @property
    def model(self) -> Allowed | None:
        """The model that decides or judges, as it is allowed; None where none is asked."""
        return self.models.root.get(self.integration.decide.asked)

    @property
    def label(self) -> str:
        return f"{self.tenant}/{self.name}"

    def view(self, category: CategoryOf) -> View:
        """What of an entry a model may see."""
        deciding = self.integration.decide
        return View(category, deciding.reveal, self.manifest.paths, deciding.privacy)

    def policy(self) -> Policy:
        """What the gate holds every plan of it against."""
        return self.integration.policy(self.instructions, self.timezone)


def load_integration(root: Path, label: str) -> tuple[Tenant, Integration]:
    """What tenant.yaml and integration.yaml say, before there are instructions. Raises as `load`."""
    tenant, _, name = label.partition("/")
    folder = root / tenant / name
    if not name or not folder.is_dir():
        known = ", ".join(labels(root)) or "none"
        raise IntegrationInvalid(f"{label}: no such integration below {root}; there are: {known}")
    described = load_tenant(root, tenant)
    integration = parsed(folder / "integration.yaml", Integration)
    _check_connections(folder, described, integration)
    return described, integration


def load(root: Path, label: str) -> Deployment:
    """The deployment `tenant/integration` below a folder of deployments.

    Raises:
        IntegrationInvalid: a file is missing or says what is not understood.
    """
    described, integration = load_integration(root, label)
    folder = root / label
    instructions, manifest = Instructions.load(folder), parsed(folder / manifests.FILE, Manifest)
    for sentence in manifest.root.keys() - set(instructions.numbers):
        raise IntegrationInvalid(
            f"{folder / manifests.FILE}: {sentence} is no sentence of the instructions; remove or correct it"
        )
    listed = models.load(root)
    if integration.decide.asked:
        models.allowed(listed, folder / "integration.yaml", integration.decide.asked)
    return Deployment(
        tenant=folder.parent.name,
        name=folder.name,
        timezone=described.timezone,
        connections=described.connections,
        integration=integration,
        instructions=instructions,
        manifest=manifest,
        models=listed,
    )


def load_tenant(root: Path, tenant: str) -> Tenant:
    """What tenant.yaml says.

    Raises:
        IntegrationInvalid: it is missing or says what is not understood.
    """
    return parsed(root / tenant / "tenant.yaml", Tenant)


def labels(root: Path) -> list[str]:
    """Every integration below a folder: ["demo/warehouse", …]."""
    found = sorted(root.glob("*/*/integration.yaml"))
    return [f"{path.parent.parent.name}/{path.parent.name}" for path in found]


def tenants(root: Path) -> list[str]:
    """Every tenant below a folder, by name: those with a tenant.yaml or a prefect.yaml."""
    files = [path for name in ("tenant.yaml", "prefect.yaml") for path in root.glob(f"*/{name}")]
    return sorted({path.parent.name for path in files})


def _check_connections(folder: Path, tenant: Tenant, integration: Integration) -> None:
    for connection in sorted(set(integration.connections()) - set(tenant.connections)):
        raise IntegrationInvalid(
            f"{folder / 'integration.yaml'}: connection {connection} is not in tenant.yaml; add it there"
        )


def _grant(grant: ValueGrant) -> Grant:
    return Grant(
        sources=grant.from_,
        constants=grant.constants,
        transforms=grant.transforms,
        computed=grant.computed,
        because=grant.because,
        free_text=isinstance(grant, ArgumentGrant) and grant.free_text,
    )
