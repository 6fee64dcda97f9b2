"""Refining: a practice's words become drafts of its files."""

from typing import Annotated

import typer

from flows.cli.app import Label, app, say
from flows.settings import Settings


@app.command()
def refine(
    label: Label,
    model: Annotated[
        str, typer.Option(help="which model drafts: google-cloud:…, openai-compatible:…; else the last one")
    ] = "",
    connection: Annotated[str, typer.Option(help="of tenant.yaml, where the model is reached")] = "",
    candidates: Annotated[int, typer.Option(min=1, max=9, help="programs that are drafted and compared")] = 3,
    entries: Annotated[
        int, typer.Option(min=0, help="of the source, at most, that drafts are tried on; the model sees none")
    ] = 500,
) -> None:
    """Draft sentences, questions, fields, program and examples from what the practice told us."""
    from flows import refine as refining  # noqa: PLC0415  # the vendors' SDKs take a second to import

    asked = refining.Asked(by=model, connection=connection, candidates=candidates, entries=entries)
    for line in refining.refine(Settings(), label, asked):
        say(line)
