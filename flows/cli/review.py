"""Reviewing: every planned write on a local page, before it happens."""

from typing import Annotated

import typer

from flows.cli.app import Label, app, out, say
from flows.ledger import audit
from flows.review.opened import serve
from flows.settings import Settings


@app.command()
def review(
    label: Label,
    live: Annotated[bool, typer.Option("--live", help="of what is live; else of its stage")] = False,
    role: Annotated[
        str, typer.Option("--as", help="viewer, reviewer or approver: at most what you are")
    ] = "",
    person: Annotated[str, typer.Option(help="who looks: a name of tenant.yaml's people")] = "",
) -> None:
    """Open a page on this machine that shows every planned write, field by field. The link works once."""

    def tell(link: str) -> None:
        say(f"open this in a browser on this machine; it works once: {link}")
        say("end with Ctrl-C")
        out.file.flush()

    who = audit.person(person).removeprefix("person ")
    serve(Settings(), label, "live" if live else "staging", role, who, tell)
