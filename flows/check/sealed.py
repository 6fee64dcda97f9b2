"""Which connections have no sealed block yet, where a Prefect server can be asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.check.findings import Findings
from flows.errors import ServerUnavailable
from flows.naming import block
from flows.reach import sealed_connections, server


def check(root: Path, wanted: Mapping[str, Sequence[tuple[str, int]]], findings: Findings) -> None:
    """A finding for each connection without its block. `wanted`: by tenant, its connections' lines."""
    try:
        there = _blocks()
    except ServerUnavailable as error:
        what, _, todo = str(error).partition("; ")
        findings.add(root, 1, f"connections were not looked at: {what}", todo)
        return
    for tenant, connections in wanted.items():
        for name, line in connections:
            if block(tenant, name) not in there:
                findings.add(
                    root / tenant / "tenant.yaml",
                    line,
                    f"connections.{name} has no credential on the server yet",
                    f"run: ferry connect {tenant} {name}",
                )


def _blocks() -> set[str]:
    """The names of all sealed connections."""
    with server() as client:
        return {document.name for document in sealed_connections(client) if document.name}
