"""The command line's one application, and what its commands share."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from flows.ledger import audit, lease
from flows.ledger.store import Ledger
from flows.run import new_id, open_ledger
from flows.settings import Settings
from flows.tenants import load

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


def with_ledger(label: str, act: Callable[[Ledger], object]) -> None:
    settings = Settings()
    ledger = open_ledger(settings, load(settings.deployments, label))
    try:
        act(ledger)
    finally:
        ledger.close()


def under_lease(ledger: Ledger, act: Callable[[Ledger], None]) -> None:
    ledger.person = audit.person()
    lease.take(ledger, new_id())
    try:
        act(ledger)
    finally:
        lease.give_back(ledger)
