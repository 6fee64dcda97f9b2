"""A tenant's files: check, approve, new, schema, deploy."""

import datetime
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from flows import approval, pins, versions
from flows.check import asks_a_server, checked
from flows.check import check as findings
from flows.cli.app import Label, app, say
from flows.errors import Spoken
from flows.review import door
from flows.settings import PRODUCTION, Settings
from flows.tenants import labels, load, tenants

Author = Annotated[str, typer.Option(help="who wrote it")]
Approver = Annotated[str, typer.Option(help="who read and approves it; in production another person")]
TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="a folder below deployments/")]


class FilesWrong(Spoken):
    """Files have mistakes, which were told line by line. One line."""


@app.command()
def check(
    tenant: Annotated[str, typer.Argument(metavar="[TENANT]", help="all of them without it")] = "",
) -> None:
    """Read everything that a tenant's files say, and tell every mistake with its file and line."""
    settings = Settings()
    _check(settings, [tenant] if tenant else [])
    for one in [tenant] if tenant else tenants(settings.deployments):
        number = sum(label.startswith(f"{one}/") for label in labels(settings.deployments))
        say(f"{one}: {number} integration{'' if number == 1 else 's'}, nothing is wrong")


@app.command()
def deploy(tenant: TenantName) -> None:
    """Check a tenant's files, then bring its deployments to the Prefect server."""
    settings = Settings()
    _check(settings, [tenant])
    from flows import deploy as deploying  # noqa: PLC0415  # Prefect takes a second to import

    for line in deploying.deploy(checked(settings.deployments, tenant)):
        say(line)


@app.command()
def approve(
    label: Label,
    author: Author,
    approver: Approver,
    expires: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="the last day on which the approval is valid"),
    ] = None,
    version: Annotated[
        str, typer.Option(metavar="VERSION", help="roll back: put the files of this commit in place first")
    ] = "",
) -> None:
    """Pin an integration's files as they are now, or as they were at a commit; a run refuses others."""
    made = approve_version(Settings(), label, signed(author, approver, expires, {}), version)
    until = f" until {made.expires}" if made.expires else ""
    what, path = ", ".join([*made.files, *made.models]), Settings().deployments / label / approval.FILE
    say(f"{label}: {what} approved by {made.approver}{until}; see {path}")


def signed(
    author: str, approver: str, expires: datetime.datetime | None, reasons: Mapping[str, str]
) -> approval.Signed:
    today = datetime.datetime.now(datetime.UTC).date()
    return approval.Signed(author, approver, today, expires.date() if expires else None, reasons)


def approve_version(
    settings: Settings, label: str, by: approval.Signed, version: str = "", looked: str = ""
) -> approval.Approval:
    """Check an integration's files, approve them, and note it; a version's are put in place first.

    looked: names the files that were looked at; others are not approved.

    Raises:
        NotAdmitted: the approver is none. FilesWrong, NotCommitted, VersionUnknown. NotApproved: see there.
    """
    live, tenant = _folder(settings.deployments, label), label.partition("/")[0]
    door.approves(settings, label, by.approver.strip())
    if version:
        versions.check_committed(live)
    from flows import acts  # noqa: PLC0415  # the database is not for those who only check

    with _root(settings, label, version) as root:
        folder = root / label
        _check(settings, [tenant], folder, root)
        deployment = load(root, label)
        made = approval.approve(
            folder,
            deployment.integration,
            deployment.connections,
            by,
            production=settings.env == PRODUCTION,
            looked=looked,
            note=lambda act: acts.note(settings, tenant, act, *pins.files(folder).values()),
        )
        if version:
            versions.put(folder, live, deployment.integration.shadow)
    return made


def _root(settings: Settings, label: str, version: str) -> AbstractContextManager[Path]:
    return versions.at(settings.deployments, label, version) if version else nullcontext(settings.deployments)


@app.command()
def new(
    tenant: TenantName,
    integration: Annotated[str, typer.Argument(metavar="INTEGRATION", help="its folder's name")],
) -> None:
    """Make the files of a new integration, and of its tenant where that is new. Nothing is overwritten."""
    from flows import scaffold  # noqa: PLC0415

    for line in scaffold.new(Settings().deployments, tenant, integration):
        say(line)


@app.command()
def schema() -> None:
    """Write the JSON Schemas of the files, for editors, to deployments/schema/."""
    from flows import schema as schemas  # noqa: PLC0415

    for path in schemas.write(Settings().deployments / schemas.FOLDER):
        say(f"{path}: written")


def _check(
    settings: Settings, wanted: list[str], folder: Path | None = None, root: Path | None = None
) -> None:
    """Tell what is wrong, of one folder alone if it is given but not of its approval.

    root: below which the files are, if that is not the settings' own.

    Raises:
        FilesWrong: something is.
    """
    found = findings(
        root or settings.deployments,
        wanted,
        production=settings.env == PRODUCTION,
        server=folder is None and asks_a_server(),
        memory=settings.home / "checked",
    )
    if folder is not None:
        found = [one for one in found if one.path.parent == folder and one.path.name != approval.FILE]
    for one in found:
        say(str(one))
    if found:
        sys.stdout.flush()
        raise FilesWrong(
            f"{len(found)} mistake{'' if len(found) == 1 else 's'}; correct each and check again"
        )


def _folder(root: Path, label: str) -> Path:
    if label not in labels(root):
        known = ", ".join(labels(root)) or "none"
        raise FilesWrong(f"{label}: no such integration below {root}; there are: {known}")
    return root / label
