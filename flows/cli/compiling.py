"""Before an approval: compile, and test, which writes the proof that an approval asks for."""

import sys
from typing import Annotated

import typer

from flows.cli.app import Label, app, say
from flows.errors import Spoken
from flows.settings import Settings


class NotCompiled(Spoken):
    """An integration's parts do not say the same thing; each mistake was told. One line."""


@app.command(name="compile")
def compile_(label: Label) -> None:
    """Check an integration as a whole: sentences, grants, fields, program, and what its examples show."""
    from flows.compiling import compiled  # noqa: PLC0415  # so that the other commands are there at once

    settings = Settings()
    made = compiled(settings.deployments, label, memory=settings.home / "checked")
    for one in made.findings:
        say(str(one))
    number = len(made.findings)
    if number:
        sys.stdout.flush()
        raise NotCompiled(f"{number} mistake{'' if number == 1 else 's'}; correct each and compile again")
    shown = f", {len(made.coverage.branches)} branches" if made.coverage else ""
    say(f"{label}: {made.sentences} sentences, {made.examples} golden examples{shown}; nothing is wrong")


@app.command()
def test(
    label: Label,
    repeats: Annotated[
        int, typer.Option(min=0, max=100, help="how often each is decided; 0: 8 times by a model, else once")
    ] = 0,
    by: Annotated[str, typer.Option(help="test this model instead of the one that decides")] = "",
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="of a model: examples that must be right each time")
    ] = 0.9,
    version: Annotated[
        str, typer.Option("--version", help="test the files of a folder beside the live ones, such as next")
    ] = "",
) -> None:
    """Decide the golden examples as a run would, compare the plans, and write down how many were right.

    Names what differs, never a value.
    """
    from flows import proving  # noqa: PLC0415

    proven = proving.proven(Settings(), label, repeats=repeats, by=by, version=version)
    for line in proving.lines(proven):
        say(line)
    if not proven.good(share):
        sys.stdout.flush()
        raise proving.NotProven(
            f"{label}: {proven.passed} of {len(proven.examples)} examples are right; correct what is wrong"
        )
