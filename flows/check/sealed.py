"""Which connections have no sealed block yet, where a Prefect server can be asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect.exceptions import ObjectNotFound

from flows.check.findings import Findings
from flows.check.names import joined
from flows.reach import NotReached, server

SLUG = "sealed-connection"
PAGE = 200


def check(root: Path, wanted: Mapping[str, Sequence[tuple[str, int]]], findings: Findings) -> None:
    """A finding for each connection without its block. `wanted`: by tenant, its connections' lines."""
    try:
        there = _blocks()
    except NotReached as error:
        what, _, todo = str(error).partition("; ")
        findings.add(root, 1, f"connections were not looked at: {what}", todo)
        return
    for tenant, connections in wanted.items():
        for name, line in connections:
            if f"ferry-{joined(tenant, name)}" not in there:
                findings.add(
                    root / tenant / "tenant.yaml",
                    line,
                    f"connections.{name} has no credential on the server yet",
                    f"run: ferry connect {tenant} {name}",
                )


def _blocks() -> set[str]:
    """The names of all sealed connections."""
    found: set[str] = set()
    with server() as client:
        try:
            client.read_block_type_by_slug(SLUG)
        except ObjectNotFound:
            return found  # nobody connected anything yet
        while True:
            page = client.read_block_documents_by_type(
                SLUG, offset=len(found), limit=PAGE, include_secrets=False
            )
            found |= {document.name for document in page if document.name}
            if len(page) < PAGE:
                return found
