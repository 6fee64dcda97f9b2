"""Reviewing: every planned write on a local page, before it happens."""

from typing import Annotated

import typer

from flows.cli.app import Label, app, out, say
from flows.ledger import audit
from flows.parameters import Mode
from flows.review.door import Role
from flows.review.opened import desk, serve
from flows.review.text import review as as_text
from flows.settings import Settings
from flows.tenants import load


@app.command()
def review(
    label: Label,
    live: Annotated[bool, typer.Option("--live", help="of what is live; else of its stage")] = False,
    role: Annotated[str, typer.Option("--as", help="viewer, reviewer or approver")] = "reviewer",
    person: Annotated[str, typer.Option(help="who looks, as the audit is to name them")] = "",
    text: Annotated[bool, typer.Option("--text", help="the same as text, in the terminal")] = False,
) -> None:
    """Open a page on this machine that shows every planned write, field by field. The link works once."""

    def tell(link: str) -> None:
        say(f"open this in a browser on this machine; it works once: {link}")
        say("end with Ctrl-C")
        out.file.flush()

    who = audit.person(person).removeprefix("person ")
    mode: Mode = "live" if live else "staging"
    if text:
        settings = Settings()
        with desk(settings, label, mode) as made:
            for line in as_text(settings, load(settings.deployments, label), made, Role[role.upper()], who):
                say(line)
        return
    serve(Settings(), label, mode, Role[role.upper()], who, tell)
