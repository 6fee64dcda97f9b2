"""The command line `ferry`."""

import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from flows.boundary import CodedFailure, guarded, raise_fence
from flows.cli.app import app

MODULES = (
    "files",
    "compiling",
    "lint",
    "refine",
    "carry",
    "look",
    "audit",
    "connections",
    "keys",
    "alert",
    "operate",
    "versions",
    "stage",
    "review",
    "acting",
)
"""Their commands are the application's."""

QUICK = ("check", "deploy", "new", "approve", "schema", "compile", "test")
"""The commands of `files` and `compiling`: what the others need is not imported for these."""


def main() -> None:
    """Run the command line; every error is one line on standard error."""
    try:
        guarded(_run)
    except CodedFailure as failure:
        sys.stderr.write(f"ferry: {str(failure).removeprefix(failure.code + ': ')}\n")
        sys.exit(1)


def application(modules: Sequence[str] = MODULES) -> typer.Typer:
    """The application with the commands of these modules."""
    for module in modules:
        import_module(f"flows.cli.{module}")
    return app


def _run() -> None:
    made = application(("files", "compiling") if sys.argv[1:2] and sys.argv[1] in QUICK else MODULES)
    raise_fence()
    made(standalone_mode=True)
