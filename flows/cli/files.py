"""A tenant's files: check, approve, new, schema, deploy."""

import datetime
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows import approval
from flows.check import asks_a_server, checked
from flows.check import check as findings
from flows.cli.app import Label, app, say
from flows.errors import Spoken
from flows.settings import PRODUCTION, Settings
from flows.tenants import labels, tenants

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
    author: Annotated[str, typer.Option(help="who wrote it")],
    approver: Annotated[str, typer.Option(help="who read and approves it; in production another person")],
    expires: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="the last day on which the approval is valid"),
    ] = None,
) -> None:
    """Pin an integration's files as they are now; a run refuses others."""
    settings = Settings()
    folder = _folder(settings.deployments, label)
    _check(settings, [folder.parent.name], folder)
    from flows import acts  # noqa: PLC0415  # the database is not for those who only check

    made = approval.approve(
        folder,
        author=author,
        approver=approver,
        today=datetime.datetime.now(datetime.UTC).date(),
        expires=expires.date() if expires else None,
        production=settings.env == PRODUCTION,
        note=lambda act: acts.note(settings, folder.parent.name, act, *approval.hashes(folder)),
    )
    until = f" until {made.expires}" if made.expires else ""
    say(f"{label}: {', '.join(made.files)} approved by {made.approver}{until}; see {folder / approval.FILE}")


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


def _check(settings: Settings, wanted: list[str], folder: Path | None = None) -> None:
    """Tell what is wrong, of one folder alone if it is given but not of its approval.

    Raises:
        FilesWrong: something is.
    """
    found = findings(
        settings.deployments,
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
