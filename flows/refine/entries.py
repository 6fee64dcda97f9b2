"""Entries to try drafts on: read from the source, kept in memory, told of by number alone."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from agent.case import Case
from agent.instructions import Instructions
from agent.manifest import Manifest
from connectors.entry import Found
from connectors.errors import ConnectorError
from connectors.source import Source
from flows import accounts, acts, connections, models
from flows.boundary import CodedFailure
from flows.connections import Connections
from flows.errors import Spoken
from flows.ledger import entries
from flows.opening import open_ledger
from flows.refine.scene import Scene
from flows.settings import Settings
from flows.tenants import Deployment


@dataclass(frozen=True, slots=True)
class Sample:
    """Entries, and how they are told of: "the 500 patients that were looked at". `why`: none, and why."""

    cases: tuple[Case, ...] = ()
    told: str = ""
    why: str = ""


def sample(
    settings: Settings, scene: Scene, instructions: Instructions, read: Manifest, number: int
) -> Sample:
    """At most so many entries, evenly out of all that the source lists, with the fields that are read.

    That they are read is noted in the audit first.
    """
    if number <= 0:
        return Sample(why="nobody asked for any")
    try:
        return _sample(settings, _deployment(settings, scene, instructions, read), number)
    except (Spoken, ConnectorError, CodedFailure) as error:
        return Sample(why=str(error))


def _deployment(settings: Settings, scene: Scene, instructions: Instructions, read: Manifest) -> Deployment:
    return Deployment(
        tenant=scene.folder.parent.name,
        name=scene.folder.name,
        timezone=scene.tenant.timezone,
        connections=scene.tenant.connections,
        integration=scene.integration,
        instructions=instructions,
        manifest=read,
        models=models.load(settings.deployments),
    )


def _sample(settings: Settings, deployment: Deployment, number: int) -> Sample:
    name, paths = deployment.integration.source, deployment.manifest.paths
    with ExitStack() as stack:
        ledger = open_ledger(settings, deployment)
        stack.callback(ledger.close)
        own = Connections(deployment.tenant, deployment.connections, ledger.seal, environment=settings.env)
        source = connections.source(deployment, own)
        stack.callback(source.close)
        accounts.admit(own, name, source.check(paths))
        patients, of = _evenly(source, number)
        act = f"entries of {ledger.name} read to refine its instructions"
        acts.note_beside(ledger, act, *(entries.hash_of(ledger, patient) for patient in patients))
        today = datetime.now(UTC).astimezone(ZoneInfo(deployment.timezone)).date()
        cases = tuple(
            Case(patient=one.patient, entry=one.entry, known={}, today=today)
            for one in source.read(patients, paths)
            if isinstance(one, Found)
        )
    whole = "all" if len(cases) == of else "the"
    return Sample(cases, f"{whole} {len(cases)} patients that were looked at")


def _evenly(source: Source, number: int) -> tuple[Sequence[str], int]:
    """So many of all patients, spread over the whole listing, the same ones for the same listing."""
    everyone = sorted(patient for page in source.everyone() for patient in page)
    step = max(1, -(-len(everyone) // number))
    return everyone[::step], len(everyone)
