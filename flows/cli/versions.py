"""Versions: what others would decide (replay), and the one beside the live one (promote)."""

import sys
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from flows.cli.app import Label, app, say
from flows.cli.asked import Person, named, reviewer
from flows.cli.files import Approver, Author, signed
from flows.cli.files import approve_version as approve_at
from flows.diff import diff as differences
from flows.ledger.store import Ledger
from flows.opening import labelled
from flows.promote import standing, take_away
from flows.replay import replay as replayed
from flows.review import checklist, going_live
from flows.settings import Settings
from flows.tenants import load

Show = Annotated[bool, typer.Option("--show", help="show the values and the patients too: patient data")]


@app.command()
def replay(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a past run, as ferry status names it")],
    version: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="VERSION",
            help="a commit, a folder with the files, or a folder beside them such as next; without it the "
            "files as they are",
        ),
    ] = "",
    show: Show = False,
    person: Person = "",
) -> None:
    """Show what another version would have decided in a past run. Nothing is sent."""
    with _told_by(labelled(Settings(), run)[0], person, values=show):
        for line in replayed(Settings(), run, version, show=show):
            say(line)


@app.command()
def diff(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run, as ferry status names it")],
    values: Annotated[bool, typer.Option("--values", help="show the values too: patient data")] = False,
    person: Person = "",
) -> None:
    """Show what a run wrote, or would have written from its stage: field by field, before → after."""
    with _told_by(labelled(Settings(), run)[0], person, values=values):
        for line in differences(Settings(), run, values=values):
            say(line)


@app.command()
def promote(
    label: Label, author: Author = "", approver: Approver = "", show: Show = False, person: Person = ""
) -> None:
    """List what keeps an integration, or the version beside it, from going live; with both names: approve."""
    settings = Settings()
    if load(settings.deployments, label).integration.shadow is None:
        _go_live(settings, label, author, approver)
        return
    with _told_by(label, person, values=show):
        found = standing(settings, label, show=show)
    for line in found.lines(show=show):
        say(line)
    folder = settings.deployments / label
    found.check(folder)
    if not (author and approver):
        say(f"every difference has its reason: ferry promote {label} --author NAME --approver NAME")
        return
    by = signed(author, approver, None, found.reasons)
    made = approve_at(settings, label, by, found.asked.version, found.version)
    take_away(folder, found.asked)
    say(f"{label}: {found.asked.version} is the live version now, approved by {made.approver}; commit it")


def _told_by(label: str, person: str, *, values: bool) -> AbstractContextManager[None]:
    """Meanwhile the audit names who looks. Raises NotAdmitted: they may see no values, and ask for them."""
    return Ledger.told_by(f"person {reviewer(label, person) if values else named(person)}")


def _go_live(settings: Settings, label: str, author: str, approver: str) -> None:
    """The checklist of an integration that was staged; with both names, its approval."""
    found = going_live.looked(settings, label)
    for line in checklist.lines(found.points):
        say(line)
    sys.stdout.flush()
    if not (author and approver) and not any(one.open for one in found.points):
        say(f"nothing is open: ferry promote {label} --author NAME --approver NAME")
        return
    made = going_live.promote(settings, found, author, approver)
    say(f"{label}: approved by {made.approver}; commit it, and deploy it without mode: staging")
