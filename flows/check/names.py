"""Names that would meet each other on the server, where Ferry's names are put together of several."""

from collections.abc import Iterator
from pathlib import Path

from flows.check.findings import Findings
from flows.check.marked import read
from flows.naming import STAGING, joined
from flows.tenants import labels, tenants


def clashes(root: Path, checked: list[str], findings: Findings) -> None:
    """Two integrations whose deployments, or two connections whose blocks, would have one name.

    A deployment is `<tenant>-<integration>` and a block `ferry-<tenant>-<connection>`, with - for _; so
    another tenant may own the same one. What is staged has `-staging` behind it.
    """
    modes = ("", STAGING)
    integrations = [tuple(f"{label}{mode}".split("/")) for mode in modes for label in labels(root)]
    for tenant, name, other in _pairs(integrations, checked):
        if name.endswith(STAGING) and other.endswith(STAGING):
            continue  # told of the two as they are live
        of = "in staging its " if name.endswith(STAGING) else "its "
        findings.add(
            root / tenant / name.removesuffix(STAGING) / "integration.yaml",
            1,
            f"{of}deployment and variable would have the names of {other.replace(STAGING, ', staging')}'s",
            "rename one of the two folders",
        )
    for tenant, name, other in _pairs(list(_connections(root)), checked):
        marked = read(root / tenant / "tenant.yaml", Findings())
        findings.add(
            root / tenant / "tenant.yaml",
            marked.line(("connections", name)) if marked else 1,
            f"connections.{name}: its block would have the name of {other}'s",
            "rename one of the two",
        )


def _pairs(pairs: list[tuple[str, ...]], checked: list[str]) -> Iterator[tuple[str, str, str]]:
    first: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        first.setdefault(joined(*pair), pair)
    for pair in pairs:
        other = first[joined(*pair)]
        if other == pair:
            continue
        if pair[0] in checked:
            yield pair[0], pair[1], "/".join(other)
        elif other[0] in checked:
            yield other[0], other[1], "/".join(pair)


def _connections(root: Path) -> Iterator[tuple[str, ...]]:
    for tenant in tenants(root):
        marked = read(root / tenant / "tenant.yaml", Findings())  # its mistakes are told where it is checked
        for place in marked.lines if marked else ():
            if len(place) == 2 and place[0] == "connections":
                yield tenant, str(place[1])
