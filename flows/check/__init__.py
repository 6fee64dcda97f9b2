"""Check: everything that a tenant's files say is looked at before anything is deployed.

Every mistake is told at once, each in one line with its file, its line, and what to do.
"""

import datetime
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent import manifest
from agent.instructions import PROGRAM_FILE, TEXT_FILE
from flows import approval
from flows.check import connections, integration, models, names, prefect_file
from flows.check.findings import Finding, Findings
from flows.check.job import Job
from flows.check.marked import read
from flows.check.prefect_file import Deployments
from flows.check.programs import Programs
from flows.errors import Spoken
from flows.parameters import NAME, NAME_AT_MOST
from flows.pins import INTEGRATION_FILE
from flows.tenants import Integration, tenants
from flows.written import IntegrationInvalid, parsed

__all__ = ["CheckedTenant", "Finding", "UnknownTenant", "check", "checked"]


@dataclass(frozen=True, slots=True)
class CheckedTenant:
    """A tenant whose files are right: what is to be deployed of it."""

    name: str
    file: Path
    deployments: Deployments


class UnknownTenant(Spoken):
    """A tenant without files. One line, which names those that there are."""


def check(
    root: Path,
    wanted: Sequence[str] = (),
    *,
    production: bool,
    server: bool = False,
    memory: Path | None = None,
) -> list[Finding]:
    """All that is wrong with these tenants' files, or with every tenant's.

    Args:
        memory: a file that remembers which programs were found right.
        server: also ask the Prefect server which connections have no credential yet.

    Raises:
        UnknownTenant: there is no such folder.
    """
    known = tenants(root)
    for name in wanted:
        if name not in known:
            raise UnknownTenant(
                f"{name}: no such tenant below {root}; there are: {', '.join(known) or 'none'}"
            )
    findings, chosen = Findings(), list(wanted) or known
    with Programs(findings, memory) as programs:
        for name in chosen:
            for job in _tenant(root / name, findings, production=production):
                programs.put(job)
    names.clashes(root, chosen, findings)
    if server:
        _check_blocks(root, chosen, findings)
    return list(findings)


def checked(root: Path, tenant: str) -> CheckedTenant:
    """What is to be deployed of a tenant in whose files `check` found nothing."""
    folder, ignored = root / tenant, Findings()
    described = connections.tenant(folder, ignored, production=False)
    present = _integrations(folder, ignored)
    found = prefect_file.deployments(folder, described, present, ignored)
    return CheckedTenant(tenant, folder / "prefect.yaml", found)


def _tenant(folder: Path, findings: Findings, *, production: bool) -> Iterator[Job]:
    described = connections.tenant(folder, findings, production=production)
    present = _integrations(folder, findings)
    deployed = prefect_file.deployments(folder, described, present, findings)
    models.too_often(folder, deployed, findings)
    today = datetime.datetime.now(datetime.UTC).date()
    for name in present:
        staged = (name, "staging") in deployed and (name, "live") not in deployed
        job = integration.check(
            folder / name, described, findings, production=production, today=today, live=not staged
        )
        if job:
            yield job
        beside = _beside(folder / name)
        if beside:
            job = integration.check(
                beside, described, findings, production=production, today=today, approved=False
            )
            if job:
                yield job


def _beside(folder: Path) -> Path | None:
    """The folder of the version that decides beside an integration's, if it is one."""
    try:
        shadow = parsed(folder / INTEGRATION_FILE, Integration).shadow
    except IntegrationInvalid:
        return None  # told of already
    return folder / shadow.version if shadow and (folder / shadow.version).is_dir() else None


def _integrations(folder: Path, findings: Findings) -> list[str]:
    """The folders that are integrations, or are meant to be."""
    meant = ("integration.yaml", manifest.FILE, TEXT_FILE, PROGRAM_FILE, approval.FILE)
    inner = sorted(one for one in folder.iterdir() if one.is_dir())
    found = [one.name for one in inner if any((one / name).is_file() for name in meant)]
    for name in (folder.name, *found):
        if not re.fullmatch(NAME, name) or len(name) > NAME_AT_MOST:
            findings.add(
                folder if name == folder.name else folder / name,
                1,
                f"{name} cannot be a name",
                f"use small letters, digits, - and _, at most {NAME_AT_MOST}, a letter first",
            )
    return found


def _check_blocks(root: Path, chosen: Sequence[str], findings: Findings) -> None:
    from flows.check import sealed  # noqa: PLC0415  # Prefect takes a second to import

    wanted: dict[str, list[tuple[str, int]]] = {}
    for name in chosen:
        ignored = Findings()  # told before
        described = connections.tenant(root / name, ignored, production=False)
        marked = read(root / name / "tenant.yaml", ignored)
        if described and marked:
            wanted[name] = [
                (one, marked.line(("connections", one))) for one in connections.unsealed(described)
            ]
    sealed.check(root, wanted, findings)


def asks_a_server() -> bool:
    """Does the environment name a Prefect server?"""
    return bool(os.environ.get("PREFECT_API_URL"))
