"""Carrying: run, resync, retry, release, demo."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows import demo as demonstration
from flows import emit, hold, preview, report, server
from flows import undo as undoing
from flows.boundary import CodedFailure
from flows.cli.app import Label, Staged, app, mode, out, under_lease, with_ledger
from flows.cli.asked import Person, approver
from flows.ledger import deliveries, doubts, entries
from flows.ledger.store import Ledger
from flows.opening import labelled
from flows.parameters import Kind, Mode, Parameters
from flows.run import OBSERVER, Observer, Run, opened
from flows.settings import Settings
from flows.sync import carried
from flows.tenants import load

INCOMPLETE = 3  # exit code: the run ended and something waits


@app.command()
def demo(
    patients: Annotated[int, typer.Option(help="how many synthetic patients")] = 1000,
    synthea: Annotated[
        Path | None, typer.Option(help="a folder of Synthea CSV files to take them from")
    ] = None,
    keep: Annotated[Path, typer.Option(help="where everything is kept afterwards")] = Path(".ferry/demo"),
) -> None:
    """Show the main job on a local stand-in for Healthie: four situations, then it ends by itself."""
    demonstration.demo(out, patients=patients, synthea=synthea, folder=keep)


@app.command()
def run(
    label: Label,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show every field before → after; send nothing")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="read everyone, not only what shows as changed")
    ] = False,
    staging: Annotated[
        bool, typer.Option("--staging", help="into the stage instead of the targets: nothing real is written")
    ] = False,
) -> None:
    """Carry everything that changed since the last run."""
    _carry(label, "sweep" if sweep else "changes", mode(staging=staging), dry_run=dry_run)


@app.command()
def resync(label: Label, staging: Staged = False) -> None:
    """Decide and carry everyone again, as a new version; nothing that is remembered is lost."""
    _carry(label, "resync", mode(staging=staging))


@app.command()
def retry(
    label: Label,
    rejected: Annotated[bool, typer.Option("--rejected", help="also what the target refused")] = False,
    arrived: Annotated[str, typer.Option(metavar="KEY", help="a doubtful delivery that did arrive")] = "",
    resend: Annotated[str, typer.Option(metavar="KEY", help="a doubtful delivery to send once more")] = "",
    staging: Staged = False,
) -> None:
    """Drive on what is open: undelivered plans and quarantined entries."""

    def reopen(ledger: Ledger) -> None:
        with ledger.writing("retry") as connection:
            entries.reopen(ledger, connection)
            if rejected:
                deliveries.send_refused_again(ledger, connection)
            for key, is_there in ((arrived, True), (resend, False)):
                if key and not doubts.decide_doubt(ledger, connection, key, arrived=is_there):
                    raise CodedFailure(
                        "no_such_doubt", f"{label}: no doubtful delivery {key}; see: ferry status"
                    )

    with_ledger(label, lambda ledger: under_lease(ledger, reopen), mode(staging=staging))
    _carry(label, "retry", mode(staging=staging))


@app.command()
def release(
    label: Label,
    discard: Annotated[bool, typer.Option("--discard", help="drop it: it is not delivered")] = False,
    staging: Staged = False,
    person: Person = "",
) -> None:
    """Let go what the breaker holds, and deliver it; or drop it. The dashboard's form does the same."""
    hold.WORD.set(hold.Word(release=not discard, person=f"person {approver(label, person)}"))
    _carry(label, "retry", mode(staging=staging))


@app.command()
def undo(
    run: Annotated[str, typer.Argument(metavar="RUN", help="the run, as ferry status names it")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what it would do, and do nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; for scripts")] = False,
    show: Annotated[bool, typer.Option("--show", help="name the patients: patient data")] = False,
) -> None:
    """Put back what the targets held before a run. What was written since stays, and is listed first."""
    label, of = labelled(Settings(), run)
    asked = Parameters.of(label, "undo", dry_run=True).model_copy(update={"mode": of, "run": run})
    with server.at_hand(Settings().home / "prefect"), opened(asked) as looked:
        for line in undoing.foretold(undoing.of_run(looked, run), values=show):
            out.print(line, markup=False)
    if dry_run:
        return
    if not yes and not typer.confirm("put these back?"):
        raise CodedFailure("not_confirmed", f"{label}: nothing was done")
    _carry(label, "undo", of, run=run)


def _carry(label: str, kind: Kind, of: Mode, *, dry_run: bool = False, run: str = "") -> None:
    """One run in this process, with a progress bar and the report in the terminal."""
    asked = Parameters.of(label, kind, dry_run=dry_run)
    load(Settings().deployments, label)  # a mistake in the files is told before anything starts
    when = emit.described(Settings().deployments, label, of).emit
    asked = asked.model_copy(update={"mode": of, "emit": when, "run": run})
    ended: list[Run] = []
    logging.getLogger("prefect.flow_runs").setLevel(logging.CRITICAL)  # the report says it better
    with server.at_hand(Settings().home / "prefect"), _bar() as bar:
        work = bar.add_task(label, total=None)

        def decided(run: Run, group: preview.Group) -> None:
            if dry_run:
                for line in preview.lines(run, group):
                    out.print(line, markup=False)

        OBSERVER.set(
            Observer(
                progress=lambda done, of: bar.update(work, completed=done, total=of),
                decided=decided,
                ended=ended.append,
            )
        )
        state = carried(asked)
    for one in ended:
        _print_report(one)
    if state.is_failed() or state.is_crashed() or state.is_cancelled():
        raise CodedFailure("failed", _last_line(state.message or "the run failed"))
    if state.name in report.WAITING:
        sys.exit(INCOMPLETE)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("entries"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal or os.environ.get("FERRY_QUIET") == "1",
    )


def _print_report(run: Run) -> None:
    out.print(report.headline(run), style="bold", markup=False)
    for row in report.rows(run):
        out.print(f"{row.number:>8}  {row.what:<18} {row.meaning}", markup=False)
    for row in report.reasons(run):
        out.print(f"{row.number:>8}  {row.what:<18} {row.meaning}", style="yellow", markup=False)


def _last_line(message: str) -> str:
    """Our own line, without what Prefect puts before it, and what to do next where it does not say."""
    _, _, line = message.rsplit("CodedFailure: ", 1)[-1].strip().partition(": ")
    return line if ";" in line else f"{line}; nothing is lost, run it again when that is put right"
