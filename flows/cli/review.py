"""Reviewing: every planned write on a local page, before it happens."""

from collections.abc import Mapping
from typing import Annotated

import typer

from flows.cli.app import Label, app, out, say
from flows.cli.asked import Person, named
from flows.parameters import Mode
from flows.review.desk import KINDS
from flows.review.door import Session
from flows.review.opened import desk, serve, session
from flows.review.shown import FILTERED
from flows.review.text import review as as_text
from flows.settings import Settings
from flows.tenants import load

ASKED = FILTERED | {"at"}


@app.command()
def review(  # noqa: PLR0913  # an option for each filter of the page
    context: typer.Context,
    label: Label,
    *,
    live: Annotated[bool, typer.Option("--live", help="of what is live; else of its stage")] = False,
    role: Annotated[
        str, typer.Option("--as", help="viewer, reviewer or approver: at most what you are")
    ] = "",
    person: Person = "",
    text: Annotated[bool, typer.Option("--text", help="the same as text, in the terminal")] = False,
    sentence: Annotated[str, typer.Option(help="with --text: what follows this sentence")] = "",
    field: Annotated[str, typer.Option(help="writes that change it")] = "",
    kind: Annotated[str, typer.Option(help=f"writes of this kind: {', '.join(KINDS)}")] = "",
    operation: Annotated[str, typer.Option(help="writes by this operation")] = "",
    state: Annotated[str, typer.Option(help="what is in this state: held, rejected, skipped, …")] = "",
    reason: Annotated[str, typer.Option(help="entries that have no write for this reason")] = "",
    run: Annotated[str, typer.Option(help="what this run decided")] = "",
    mark: Annotated[str, typer.Option(help="writes that are marked right, wrong, or none")] = "",
    entry: Annotated[str, typer.Option(help="of one entry: its pseudonym, or the patient's id")] = "",
    key: Annotated[str, typer.Option(help="the write that has this key")] = "",
    at: Annotated[str, typer.Option(metavar="NUMBER", help="how many of each list are passed over")] = "",
) -> None:
    """Open a page on this machine that shows every planned write, field by field. The link works once."""
    asked = {name: value for name, value in context.params.items() if name in ASKED and value}
    if asked and not text:
        raise typer.BadParameter(f"--{next(iter(asked))} goes with --text; the page has filters of its own")
    settings, who = Settings(), named(person)
    mode: Mode = "live" if live else "staging"
    if text:
        _tell(settings, label, mode, session(settings, label, who, role), asked)
    else:
        serve(settings, label, mode, role, who, _say_link)


def _say_link(link: str) -> None:
    say(f"open this in a browser on this machine; it works once: {link}")
    say("end with Ctrl-C")
    out.file.flush()


def _tell(settings: Settings, label: str, mode: Mode, looks: Session, asked: Mapping[str, str]) -> None:
    deployment = load(settings.deployments, label)
    with desk(settings, label, mode) as made:
        for line in as_text(settings, deployment, made, looks, asked):
            say(line)
