"""An integration as a Prefect deployment, and its flow runs as a worker would execute them."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import cast

import httpx
from pydantic import JsonValue

from tests.faults.world import ONE_RUN, Practice
from tests.prefect_api import asking

ROOT = Path(__file__).resolve().parents[3]
Json = dict[str, JsonValue]


@dataclass(frozen=True)
class Deployed:
    """One deployment of a practice's integration."""

    practice: Practice
    id: str
    name: str

    def start(self) -> str:
        """A flow run, scheduled for now. Its id."""
        created = call(self.practice.prefect, f"/deployments/{self.id}/create_flow_run", {"state": SCHEDULED})
        return str(cast(Json, created)["id"])

    def execute(self, flow_run: str) -> Json:
        """Execute a flow run in a process of its own, as a worker does. The flow run afterwards."""
        done = subprocess.run(
            [sys.executable, "-m", "prefect.engine"],
            cwd=ROOT,
            env={**os.environ, **self.practice.environment(), "PREFECT__FLOW_RUN_ID": flow_run},
            capture_output=True,
            text=True,
            timeout=ONE_RUN,
            check=False,
        )
        found = self.flow_run(flow_run)
        assert done.returncode == 0 or found["state_type"] == "FAILED", done.stderr
        assert found["state_type"] != "RUNNING", done.stderr
        return found

    def run(self) -> Json:
        return self.execute(self.start())

    def resume(self, flow_run: str, **given: JsonValue) -> str:
        """A person's click. What the server said to it: ACCEPT, REJECT."""
        answer = call(self.practice.prefect, f"/flow_runs/{flow_run}/resume", {"run_input": given})
        return str(cast(Json, answer)["status"])

    def flow_run(self, flow_run: str) -> Json:
        return cast(Json, call(self.practice.prefect, f"/flow_runs/{flow_run}"))


SCHEDULED: JsonValue = {"type": "SCHEDULED"}


def deploy(practice: Practice, name: str, mode: str = "live") -> Deployed:
    """Make a deployment of the practice's integration."""
    tenant, integration = practice.label.split("/")
    flow = cast(Json, call(practice.prefect, "/flows/", {"name": "sync"}))
    described: Json = {
        "name": name,
        "flow_id": flow["id"],
        "entrypoint": "flows/sync.py:sync",
        "path": str(ROOT),
        "parameters": {"integration": {"tenant": tenant, "integration": integration, "mode": mode}},
        "tags": ["ferry", f"tenant:{tenant}"],
    }
    made = cast(Json, call(practice.prefect, "/deployments/", described))
    return Deployed(practice, str(made["id"]), name)


def call(prefect: Mapping[str, str], path: str, body: JsonValue = None) -> JsonValue:
    """Ask Prefect's API: a POST with a body, a GET without."""
    return ask(prefect, "GET" if body is None else "POST", path, body)


def ask(prefect: Mapping[str, str], method: str, path: str, body: JsonValue = None) -> JsonValue:
    """Ask Prefect's API; once more while its SQLite is busy, as Prefect's own client does."""
    with asking() as client:
        for _ in range(10):
            answer = client.request(method, f"{prefect['PREFECT_API_URL']}{path}", json=body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            sleep(0.5)
    answer.raise_for_status()
    return cast(JsonValue, answer.json()) if answer.content else None


def until(there: Callable[[], bool], *, within: float) -> bool:
    """Whether it came about within so many seconds."""
    deadline = monotonic() + within
    while monotonic() < deadline:
        if there():
            return True
        sleep(0.3)
    return there()
