"""The command line `ferry`."""

import sys
from importlib import import_module

from flows.boundary import CodedFailure, guarded, raise_fence
from flows.cli.app import app

MODULES = ("files", "carry", "look", "audit", "connections", "keys", "alert", "operate")
"""Their commands are the application's."""

QUICK = ("check", "deploy", "new", "approve", "schema")
"""The commands of `files`. They are there at once, since what the others need is not imported for them."""


def main() -> None:
    """Run the command line; every error is one line on standard error."""
    try:
        guarded(_run)
    except CodedFailure as failure:
        sys.stderr.write(f"ferry: {str(failure).removeprefix(failure.code + ': ')}\n")
        sys.exit(1)


def _run() -> None:
    for module in ("files",) if sys.argv[1:2] and sys.argv[1] in QUICK else MODULES:
        import_module(f"flows.cli.{module}")
    raise_fence()
    app(standalone_mode=True)
