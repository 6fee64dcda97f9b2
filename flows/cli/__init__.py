"""The command line `ferry`."""

import sys

from flows.boundary import CodedFailure, guarded, raise_fence
from flows.cli import carry, connections, look  # their commands are the application's
from flows.cli.app import app

__all__ = ["carry", "connections", "look", "main"]


def main() -> None:
    """Run the command line; every error is one line on standard error."""
    raise_fence()
    try:
        guarded(lambda: app(standalone_mode=True))
    except CodedFailure as failure:
        sys.stderr.write(f"ferry: {str(failure).removeprefix(failure.code + ': ')}\n")
        sys.exit(1)
