"""approval.yaml: whether it still holds, each objection at its line."""

import datetime
from pathlib import Path

from flows import approval
from flows.check.findings import Findings
from flows.check.marked import model, read
from flows.pins import Connections
from flows.tenants import Integration


def check(
    folder: Path,
    integration: Integration | None,
    connections: Connections,
    findings: Findings,
    *,
    production: bool,
    today: datetime.date,
) -> None:
    """The approval of a folder. An integration that cannot be read (None) is told of elsewhere."""
    path = folder / approval.FILE
    if not path.exists():
        if production:
            findings.add(path, 1, "is not there: nobody approved this", f"run: {approval.command(folder)}")
        return
    marked = read(path, findings)
    approved = model(marked, approval.Approval, findings) if marked else None
    if marked and approved:
        for place, what, todo in approval.objections(
            folder, approved, integration, connections, production=production, today=today
        ):
            findings.add(path, marked.line(place), what, todo)
