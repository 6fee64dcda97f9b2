"""A site as an operator has it: a Prefect server, process workers, tenants deployed with Prefect's command.

Everything is a real process; tests wait for what the server or the ledger says, never for a time.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

import httpx
import sqlalchemy as sa
import yaml
from pydantic import JsonValue

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from flows.server import ROOT
from tests.faults.world import DEPLOYMENTS, Practice, environment_at
from tests.worker.processes import below, flow_processes, is_stopped, kill, said_to

Json = dict[str, JsonValue]
Value = TypeVar("Value")
SOON = 120.0  # seconds; everything waited for takes a few on a free machine
POOL = "local"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def until(question: Callable[[], Value | None], what: str, seconds: float = SOON) -> Value:
    """The answer, once it is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


@dataclass
class Site:
    """One Prefect server with what is deployed there, and the environment of its processes."""

    folder: Path
    prefect: Mapping[str, str]
    extra: dict[str, str] = field(default_factory=dict[str, str])
    workers: list["Process"] = field(default_factory=list["Process"])

    @property
    def env(self) -> str:
        """Its own: else the anchor of another test's ledger would make this one a restored one."""
        return environment_at(self.folder)

    @property
    def deployments(self) -> Path:
        return self.folder / "deployments"

    def environment(self) -> dict[str, str]:
        ours = {
            "FERRY_HOME": str(self.folder),
            "FERRY_ENV": self.env,
            "FERRY_DEPLOYMENTS": str(self.deployments),
            "PREFECT_LOGGING_LEVEL": "INFO",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PYTHONFAULTHANDLER": "1",  # SIGABRT shows where each thread is
        }
        return {**os.environ, **self.prefect, **ours, **self.extra}

    def tenant(self, name: str, integration: str = "simple") -> None:
        """A tenant's folder: the fault tests' integration, and connections that the environment fills in.

        Beside its deployment there is one more of the same integration, which Prefect lets overlap.
        """
        source = DEPLOYMENTS / "acme"
        there = self.deployments / name
        (there / integration).mkdir(parents=True)
        prefix = name.upper()
        described = (source / "tenant.yaml").read_text()
        (there / "tenant.yaml").write_text(described.replace("$TEST_", f"${prefix}_"))
        for file in (source / integration).iterdir():
            (there / integration / file.name).write_bytes(file.read_bytes())
        (there / "prefect.yaml").write_text(yaml.safe_dump(prefect_file(name, integration)))

    def reaches(self, tenant: str, healthie: tuple[str, str], probe: str) -> None:
        """Where the tenant's systems are."""
        prefix = tenant.upper()
        self.warehouse(tenant).parent.mkdir(exist_ok=True)
        self.extra |= {
            f"{prefix}_HEALTHIE_URL": healthie[0],
            f"{prefix}_HEALTHIE_KEY": healthie[1],
            f"{prefix}_PROBE_URL": probe,
            f"{prefix}_WAREHOUSE_URL": f"sqlite:///{self.warehouse(tenant)}",
        }

    def warehouse(self, tenant: str) -> Path:
        """The declared target's file."""
        return self.folder / tenant / "warehouse.db"

    def practice(self, tenant: str, integration: str, healthie: StandIn, probe: ProbeServer) -> Practice:
        """The same tenant as the fault tests see one: to edit, to run from the command line, to tally."""
        label = f"{tenant}/{integration}"
        there = (self.folder, self.ledger_url, label, self.environment(), self.warehouse(tenant))
        return Practice(healthie, probe, {}, *there)

    def connect(self, tenant: str, **secrets: str) -> None:
        """Seal the secrets of the tenant's Healthie, which its file and the environment then do not hold."""
        file = self.deployments / tenant / "tenant.yaml"
        described = yaml.safe_load(file.read_text())
        for name in secrets:
            variable = described["connections"]["healthie"]["settings"].pop(name)
            del self.extra[variable.removeprefix("$")]
        file.write_text(yaml.safe_dump(described))
        done = self.says("flows", "connect", tenant, "healthie", given=json.dumps(secrets))
        assert done.returncode == 0, done.stderr

    def says(self, *command: str, given: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        """`python -m <command>` to its end."""
        return subprocess.run(
            [sys.executable, "-m", *command],
            env=self.environment() | environment,
            cwd=ROOT,
            input=given,
            capture_output=True,
            text=True,
            timeout=SOON,
            check=False,
        )

    def deploy(self, tenant: str) -> "subprocess.CompletedProcess[str]":
        file = str(self.deployments / tenant / "prefect.yaml")
        return self.says("prefect", "--no-prompt", "deploy", "--prefect-file", file, "--all")

    def start(self, name: str, **environment: str) -> str:
        """Ask for a run of a deployment with Prefect's own command. The flow run's id.

        `environment` is added to that of the flow's process alone.
        """
        variables = [f"--job-variable=env={json.dumps(environment)}"] if environment else []
        done = self.says("prefect", "deployment", "run", f"sync/{name}", *variables)
        assert done.returncode == 0, done.stderr
        found = re.search(r"runs/flow-run/([0-9a-f-]{36})", done.stdout.replace("\n", ""))
        assert found, done.stdout
        return found[1]

    def ask(self, name: str, **environment: str) -> str:
        """The same over the API, as the scheduler does it: without a process of its own."""
        deployment = self.get(f"deployments/name/sync/{name}")
        made = self.post(
            f"deployments/{deployment['id']}/create_flow_run",
            state={"type": "SCHEDULED"},
            job_variables={"env": dict(environment)},
        )
        return str(cast(Json, made)["id"])

    def get(self, path: str) -> Json:
        return cast(Json, self._asked("GET", path))

    def post(self, path: str, **content: JsonValue) -> JsonValue:
        return self._asked("POST", path, content)

    def _asked(self, method: str, path: str, content: Json | None = None) -> JsonValue:
        """The answer; as Prefect's own clients do, a server that is busy is asked again."""
        url = f"{self.prefect['PREFECT_API_URL']}/{path}"

        def answer() -> httpx.Response | None:
            try:
                got = httpx.request(method, url, json=content, timeout=50.0, trust_env=False)
            except httpx.ReadTimeout:
                if method == "GET":
                    return None
                raise  # it may have been done
            return None if got.status_code == httpx.codes.SERVICE_UNAVAILABLE else got

        return cast(JsonValue, until(answer, f"an answer to {path}").raise_for_status().json())

    def flow_run(self, id_: str) -> Json:
        return self.get(f"flow_runs/{id_}")

    def state(self, id_: str) -> Json:
        """{"type", "name", "message", "timestamp"} of a flow run."""
        return cast(Json, self.flow_run(id_)["state"])

    def ended(self, id_: str, seconds: float = SOON) -> Json:
        """The flow run's last state, once it has one."""

        def last() -> Json | None:
            state = self.state(id_)
            return state if state["type"] in ENDED else None

        try:
            return until(last, f"the end of flow run {id_}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.state(id_)}\n{self._stacks(id_)}") from None

    def _stacks(self, id_: str) -> str:
        """What the workers' logs say last once a flow run's processes were aborted: where each thread was."""
        for one in flow_processes(id_):
            kill(one, signal.SIGABRT)
        until(lambda: not flow_processes(id_), "the flow's end", 30.0)
        return "\n".join(one.log.read_text()[-6000:] for one in self.workers)

    def running(self, id_: str) -> None:
        until(lambda: self.state(id_)["type"] == "RUNNING", f"flow run {id_} running")

    def task_runs(self, id_: str) -> list[Json]:
        found: list[Json] = []
        asked: Json = {"flow_runs": {"id": {"any_": [id_]}}}
        while page := cast(list[Json], self.post("task_runs/filter", **asked, offset=len(found), limit=200)):
            found += page
        return found

    @property
    def ledger_url(self) -> str:
        return self.extra.get("FERRY_LEDGER_URL") or f"sqlite:///{self.folder / 'ledger.db'}"

    def ledger(self, query: str) -> list[tuple[object, ...]]:
        engine = sa.create_engine(self.ledger_url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def worker(self, name: str) -> "Process":
        made = Process(self, name, "worker", "--pool", POOL)
        self.workers.append(made)
        return made

    def sweeper(self, seconds: float) -> "Process":
        """`ferry sweep`, as cron would start it, again and again."""
        made = Process(self, "sweeper", "sweep", "--every", str(seconds))
        self.workers.append(made)
        return made

    def close(self) -> None:
        for one in self.workers:
            one.stop()


class Process:
    """A command of `ferry` in the background. For a worker: Prefect's, with the sweeper beside it."""

    def __init__(self, site: Site, name: str, *command: str) -> None:
        self.log = site.folder / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows", *command],
                env=site.environment(),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL for it and for Prefect's worker below it, not for the flow's process."""
        children = [one for one in below(self.process.pid) if b"engine" not in said_to(one)]
        for pid in [*children, self.process.pid]:
            kill(pid)
        self.process.wait(30)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)


def prefect_file(tenant: str, integration: str) -> Json:
    """A tenant's native Prefect file."""
    deployed: Json = {
        "name": f"{tenant}-{integration}",
        "entrypoint": "flows/sync.py:sync",
        "parameters": {"integration": {"tenant": tenant, "integration": integration}},
        "tags": ["ferry", f"tenant:{tenant}"],
        "work_pool": {"name": POOL},
        "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
        "schedules": [{"cron": "0 6 * * *", "timezone": "America/New_York"}],
    }
    again = {
        name: value for name, value in deployed.items() if name not in ("schedules", "concurrency_limit")
    }
    again["name"] = f"{tenant}-{integration}-again"
    return {"name": tenant, "deployments": [deployed, again]}


def paused(site: Site, flow_run: str) -> int:
    """The flow's process, once it has stopped itself at its crash point."""

    def stopped() -> int | None:
        state = site.state(flow_run)
        assert state["type"] not in ENDED, state
        return next((one for one in flow_processes(flow_run) if is_stopped(one)), None)

    return until(stopped, f"flow run {flow_run} paused in mid-run")
