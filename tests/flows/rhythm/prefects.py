"""What a worker and a dashboard do to the real Prefect server, through Prefect's own client."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions, FlowRun
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from tests.faults.world import ONE_RUN, Practice

ROOT = Path(__file__).parents[3]
HERE = [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}]


@contextmanager
def client_of(prefect: Mapping[str, str]) -> Iterator[SyncPrefectClient]:
    settings = {PREFECT_API_URL: prefect["PREFECT_API_URL"], PREFECT_HOME: prefect["PREFECT_HOME"]}
    with temporary_settings(settings), get_client(sync_client=True) as client:
        yield client


@dataclass
class Deployed:
    """One integration as a deployment on the server."""

    client: SyncPrefectClient
    practice: Practice
    id: UUID

    @property
    def parameters(self) -> dict[str, str]:
        tenant, name = self.practice.label.split("/")
        return {"tenant": tenant, "integration": name}

    def backfill(self, start: datetime, end: datetime) -> None:
        """Let the server's scheduler make the runs of that time, though it is past."""
        span = {"start_time": start.isoformat(), "end_time": end.isoformat(), "min_runs": 1000}
        self.client._client.post(f"/deployments/{self.id}/schedule", json=span).raise_for_status()

    def runs(self) -> list[FlowRun]:
        """All of its runs, the earliest due first."""
        which = DeploymentFilter.model_validate({"id": {"any_": [self.id]}})
        return self.client.read_flow_runs(
            deployment_filter=which, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=200
        )

    def by_hand(self, **asked: str) -> FlowRun:
        """As somebody does in the dashboard; `asked` differs from what the deployment says."""
        parameters = {"integration": self.parameters | asked} if asked else None
        return self.client.create_flow_run_from_deployment(self.id, parameters=parameters)

    def change(self, schedule: CronSchedule | IntervalSchedule, active: bool = True, **asked: str) -> None:
        """As somebody does in the dashboard; `asked` differs from what the deployment says."""
        (old,) = self.client.read_deployment(self.id).schedules
        parameters = {"integration": self.parameters | asked} if asked else None
        self.client.update_deployment_schedule(self.id, old.id, active, schedule, parameters=parameters)

    def execute(self, run: FlowRun) -> FlowRun:
        """Run it in a process of its own, as a worker does, to its end."""
        environment = os.environ | self.practice.environment() | {"PREFECT__FLOW_RUN_ID": str(run.id)}
        environment["PYTHONPATH"] = f"{os.environ.get('PYTHONPATH', '')}:{ROOT}".strip(":")
        with (self.practice.folder / "engine.log").open("a") as log:
            subprocess.run(
                [sys.executable, "-m", "prefect.engine"],
                env=environment,
                cwd=self.practice.folder,
                stdout=log,
                stderr=log,
                timeout=ONE_RUN,
                check=False,
            )
        return self.client.read_flow_run(run.id)


def deployed(client: SyncPrefectClient, practice: Practice, cron: str, timezone: str) -> Deployed:
    """The practice's integration as `prefect deploy` would put it there."""
    tenant, name = practice.label.split("/")
    rhythm = CronSchedule(cron=cron, timezone=timezone)
    flow = client.create_flow_from_name("sync")
    made = client.create_deployment(
        flow_id=flow,
        name=f"{tenant}-{name}-{practice.folder.parent.name}",
        entrypoint="flows/sync.py:sync",
        pull_steps=HERE,
        parameters={"integration": {"tenant": tenant, "integration": name}},
        tags=["ferry", f"tenant:{tenant}"],
        schedules=[DeploymentScheduleCreate(schedule=rhythm, active=True)],
        concurrency_limit=1,
        concurrency_options=ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        enforce_parameter_schema=False,
    )
    return Deployed(client, practice, made)
