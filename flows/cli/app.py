"""The command line's one application, and what its commands share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.settings import Settings

if TYPE_CHECKING:
    from flows.ledger.store import Ledger
    from flows.parameters import Mode

app = typer.Typer(
    help="Carry operational patient data between a practice's Healthie and its other systems.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Label = Annotated[str, typer.Argument(metavar="TENANT/INTEGRATION", help="a folder below deployments/")]
Staged = Annotated[bool, typer.Option("--staging", help="of its stage, instead of what is live")]
out = Console(highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """One line on standard output, as it is."""
    out.print(line, markup=False)


def mode(*, staging: bool) -> "Mode":
    return "staging" if staging else "live"


def with_ledger(label: str, act: "Callable[[Ledger], object]", of: "Mode" = "live") -> None:
    """Let a command look at what an integration remembers, or its stage if it has one."""
    # Only here, and below: a command on files alone needs no ledger, and its answer is to be there at once.
    from flows.opening import open_known  # noqa: PLC0415
    from flows.tenants import load  # noqa: PLC0415

    settings = Settings()
    ledger = open_known(settings, load(settings.deployments, label), of)
    try:
        act(ledger)
    finally:
        ledger.close()


def under_lease(ledger: "Ledger", act: "Callable[[Ledger], None]") -> None:
    from flows.ledger import audit, lease  # noqa: PLC0415
    from flows.run import new_id  # noqa: PLC0415

    with ledger.told_by(audit.person()):
        lease.take(ledger, new_id())
        try:
            act(ledger)
        finally:
            lease.give_back(ledger)
