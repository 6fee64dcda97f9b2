"""Reviewing: every planned write on a local page, before it happens."""

from typing import Annotated

import typer

from flows.cli.app import Label, app, out, say
from flows.cli.asked import Person, named
from flows.parameters import Mode
from flows.review.opened import desk, serve, session
from flows.review.text import review as as_text
from flows.settings import Settings
from flows.tenants import load


@app.command()
def review(
    label: Label,
    live: Annotated[bool, typer.Option("--live", help="of what is live; else of its stage")] = False,
    role: Annotated[
        str, typer.Option("--as", help="viewer, reviewer or approver: at most what you are")
    ] = "",
    person: Person = "",
    text: Annotated[bool, typer.Option("--text", help="the same as text, in the terminal")] = False,
) -> None:
    """Open a page on this machine that shows every planned write, field by field. The link works once."""

    def tell(link: str) -> None:
        say(f"open this in a browser on this machine; it works once: {link}")
        say("end with Ctrl-C")
        out.file.flush()

    settings, who = Settings(), named(person)
    mode: Mode = "live" if live else "staging"
    if not text:
        serve(settings, label, mode, role, who, tell)
        return
    deployment, looks = load(settings.deployments, label), session(settings, label, who, role)
    with desk(settings, label, mode) as made:
        for line in as_text(settings, deployment, made, looks):
            say(line)
