"""Alerts: Prefect automations for a tenant's deployments."""

import os
from typing import Annotated

import typer
from prefect.client.orchestration import get_client

from flows import alerts as automations
from flows.cli.app import app, say


@app.command()
def alerts(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="a folder below deployments/")],
    to: Annotated[str, typer.Option("--to", metavar="BLOCK", help="a notification block: NAME or TYPE/NAME")],
) -> None:
    """Tell a person of failures, red runs, refusals, holds and silence. Run it again after each deploy."""
    if not os.environ.get("PREFECT_API_URL"):
        raise automations.AlertsUnavailable(
            f"{tenant}: alerts are kept by a Prefect server; set PREFECT_API_URL to its address"
        )
    with get_client(sync_client=True) as client:
        for line in automations.put(client, tenant, to):
            say(line)
