"""Versions: what others would decide (replay), and the one beside the live one (promote)."""

from typing import Annotated

import typer

from flows.cli.app import Label, app, say
from flows.cli.files import Approver, Author, signed
from flows.cli.files import approve_version as approve_at
from flows.diff import diff as differences
from flows.promote import standing, take_away
from flows.replay import replay as replayed
from flows.settings import Settings

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
) -> None:
    """Show what another version would have decided in a past run. Nothing is sent."""
    for line in replayed(Settings(), run, version, show=show):
        say(line)


@app.command()
def diff(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run, as ferry status names it")],
    values: Annotated[bool, typer.Option("--values", help="show the values too: patient data")] = False,
) -> None:
    """Show what a run wrote, or would have written from its stage: field by field, before → after."""
    for line in differences(Settings(), run, values=values):
        say(line)


@app.command()
def promote(label: Label, author: Author = "", approver: Approver = "", show: Show = False) -> None:
    """List what the version beside the live one decides otherwise; with both names, make it the live one."""
    settings = Settings()
    found = standing(settings, label, show=show)
    for line in found.lines(show=show):
        say(line)
    folder = settings.deployments / label
    found.check(folder)
    if not (author and approver):
        say(f"every difference has its reason: ferry promote {label} --author NAME --approver NAME")
        return
    made = approve_at(settings, label, signed(author, approver, None, found.reasons), found.asked.version)
    take_away(folder, found.asked)
    say(f"{label}: {found.asked.version} is the live version now, approved by {made.approver}; commit it")
