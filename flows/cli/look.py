"""Looking: explain, status. Nothing is written but the audit."""

import sys
from typing import Annotated

import typer

from flows import acts
from flows.cli.app import Label, Staged, app, mode, say, with_ledger
from flows.cli.asked import Person, named, reviewer
from flows.explain import explain as explanation
from flows.ledger import entries
from flows.ledger.stages import NoSuchStage, StageOver
from flows.ledger.store import Ledger, TenantForgotten
from flows.parameters import Mode
from flows.settings import Settings
from flows.status import status as status_lines
from flows.tenants import labels, load
from flows.watch import problems


@app.command()
def explain(
    label: Label,
    patient: Annotated[str, typer.Argument(help="the entry's id at its source: in Healthie, the patient's")],
    values: Annotated[bool, typer.Option("--values", help="show the values too: patient data")] = False,
    staging: Staged = False,
    person: Person = "",
) -> None:
    """Say why this patient did, or didn't, arrive."""
    deployment = load(Settings().deployments, label)
    who = reviewer(label, person) if values else named(person)

    def tell(ledger: Ledger) -> None:
        act = f"entry of {ledger.name} explained{' with its values' if values else ''}"
        with ledger.told_by(f"person {who}"):
            acts.note_beside(ledger, act, entries.hash_of(ledger, patient))
        for line in explanation(deployment, ledger, patient, values=values):
            say(line)

    with_ledger(label, tell, mode(staging=staging))


@app.command()
def status(
    label: Annotated[str, typer.Argument(metavar="[TENANT[/INTEGRATION]]")] = "",
    check: Annotated[
        bool,
        typer.Option("--check", help="for monitors: a line for each problem, exit code 1; silent if none"),
    ] = False,
    staging: Staged = False,
) -> None:
    """Say how each integration and its stage stand, what is open and what needs a person."""
    if check:
        _check(label)
        return
    modes: tuple[Mode, ...] = ("staging",) if staging else ("live", "staging")
    for one in [label] if label else labels(Settings().deployments):
        for each in modes:
            try:
                with_ledger(one, _say_status, each)
            except NoSuchStage as never:
                if staging:
                    say(str(never))
            except (TenantForgotten, StageOver) as gone:  # the others are to be told of, too
                say(str(gone))


def _check(which: str) -> None:
    found = list(problems(Settings(), which))
    for line in found:
        say(line)
    if found:
        sys.exit(1)


def _say_status(ledger: Ledger) -> None:
    for line in status_lines(ledger):
        say(line)
