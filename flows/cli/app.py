"""The command line's one application, and what its commands share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.settings import Settings

if TYPE_CHECKING:
    from flows.ledger.store import Ledger

app = typer.Typer(
    help="Carry operational patient data between a practice's Healthie and its other systems.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Label = Annotated[str, typer.Argument(metavar="TENANT/INTEGRATION", help="a folder below deployments/")]
out = Console(highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """One line on standard output, as it is."""
    out.print(line, markup=False)


def with_ledger(label: str, act: "Callable[[Ledger], object]") -> None:
    # Only here, and below: a command on files alone needs no ledger, and its answer is to be there at once.
    from flows.opening import open_ledger  # noqa: PLC0415
    from flows.tenants import load  # noqa: PLC0415

    settings = Settings()
    ledger = open_ledger(settings, load(settings.deployments, label))
    try:
        act(ledger)
    finally:
        ledger.close()


def under_lease(ledger: "Ledger", act: "Callable[[Ledger], None]") -> None:
    from flows.ledger import audit, lease  # noqa: PLC0415
    from flows.run import new_id  # noqa: PLC0415

    ledger.person = audit.person()
    lease.take(ledger, new_id())
    try:
        act(ledger)
    finally:
        lease.give_back(ledger)
