"""The ground that is measured on: a Prefect server, practices of several sizes, and what runs on them.

What several benchmarks need, a first load of one size, is made once.
"""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

import httpx
import sqlalchemy as sa
from pydantic import BaseModel

from benchmarks.figures import BenchmarkFailed, Sizes
from benchmarks.measured import Measured, Order
from connectors.sandbox.healthie import StandIn
from flows.server import LocalServer, wait_for_records

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 1800.0  # seconds for one child
Answer = TypeVar("Answer", bound=BaseModel)


class Home:
    """A ledger and a target database of their own, and the practice that fills them."""

    def __init__(self, folder: Path, healthie: StandIn, server: LocalServer, deployments: Path) -> None:
        folder.mkdir(parents=True)
        self.folder, self.healthie = folder, healthie
        self.database = folder / "warehouse.db"
        self.environment = os.environ | {
            "FERRY_HOME": str(folder),
            "FERRY_ENV": f"bench-{folder.name}",  # one server keeps the anchors of several ledgers
            "FERRY_DEPLOYMENTS": str(deployments),
            "DEMO_HEALTHIE_URL": healthie.endpoint,
            "DEMO_HEALTHIE_KEY": healthie.api_key,
            "DEMO_WAREHOUSE_URL": f"sqlite:///{self.database}",
            "PREFECT_API_URL": server.url,
            "PREFECT_HOME": str(server.home),
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "DO_NOT_TRACK": "1",
        }

    def run(self, order: Order) -> Measured:
        """One run of the integration. Raises BenchmarkFailed if it or its requests do not add up."""
        environment = self.environment | ({"FERRY_WORKERS": "1"} if order.one_by_one else {})
        self.healthie.reset()
        measured = in_child("benchmarks.child", order, Measured, self.folder, environment)
        arrived = self.healthie.requests()["count"]
        if arrived != sum(measured.documents.values()):
            raise BenchmarkFailed(f"the stand-in counted {arrived} requests, the run {measured.documents}")
        return measured

    def rows(self) -> dict[str, Mapping[str, object]]:
        """The target's rows by patient id."""
        return rows_of(self.database)


def rows_of(database: Path) -> dict[str, Mapping[str, object]]:
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        found: dict[str, Mapping[str, object]] = {
            str(row["patient_id"]): {str(name): value for name, value in row.items()}
            for row in connection.execute(sa.text("SELECT * FROM patients")).mappings()
        }
    engine.dispose()
    return found


class Loaded:
    """First loads of one size, each into a home of its own; later runs go on in the first one's."""

    def __init__(self, homes: Sequence[Home], loads: Sequence[Measured]) -> None:
        self.home, self.homes, self.loads = homes[0], homes, loads


class Ground:
    """Everything that stays up while benchmarks run. Use `prepared`."""

    def __init__(self, folder: Path, sizes: Sizes, stack: ExitStack) -> None:
        self.sizes = sizes
        self._folder, self._stack = folder, stack
        self.server = LocalServer(folder / "prefect")
        stack.callback(self.server.stop)
        self._practices: dict[tuple[int, bool], StandIn] = {}
        self._loaded: dict[int, Loaded] = {}
        self._homes = 0

    def practice(self, patients: int, *, edited: bool = False) -> StandIn:
        """One of this size. What is edited has one of its own: runs read what was edited lately again."""
        if (patients, edited) not in self._practices:
            self._practices[patients, edited] = self._stack.enter_context(StandIn(patients, seed=7))
        return self._practices[patients, edited]

    def folder(self, name: str) -> Path:
        """A new folder that is gone when the benchmarks are."""
        self._homes += 1
        return self._folder / f"{name}-{self._homes}"

    def home(self, patients: int, deployments: Path = ROOT / "deployments", *, edited: bool = False) -> Home:
        """A new home on the practice of this size."""
        healthie = self.practice(patients, edited=edited)
        self.server.ready()
        return Home(self.folder("home"), healthie, self.server, deployments)

    def loaded(self, patients: int) -> Loaded:
        """The first loads of this size, as deployed."""
        if patients not in self._loaded:
            times = self.sizes.repeats if patients == self.sizes.small else 1
            homes = [self.home(patients) for _ in range(times)]
            self._loaded[patients] = Loaded(homes, [home.run(Order()) for home in homes])
        return self._loaded[patients]

    def recorded(self, run: Measured) -> int:
        """How many task runs of this run Prefect's API knows as completed, once it has taken all in."""
        wait_for_records(self.server.url)
        asked = {
            "flow_runs": {"id": {"any_": [run.flow_run]}},
            "task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
        }
        url = f"{self.server.url}/task_runs/count"
        return int(httpx.post(url, json=asked, timeout=30.0, trust_env=False).json())


@contextmanager
def prepared(sizes: Sizes) -> Generator[Ground]:
    """A ground in a folder of its own; everything on it ends and goes with the block."""
    with TemporaryDirectory(prefix="ferry-bench-") as folder, ExitStack() as stack:
        yield Ground(Path(folder), sizes, stack)


def in_child(
    module: str, order: BaseModel, answer: type[Answer], folder: Path, environment: Mapping[str, str]
) -> Answer:
    """What a child process measures. Raises BenchmarkFailed with its last words."""
    asked, given = folder / "order.json", folder / "measured.json"
    asked.write_text(order.model_dump_json())
    given.unlink(missing_ok=True)
    command = [sys.executable, "-m", module, str(asked), str(given)]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=LONGEST, check=False
    )
    if done.returncode or not given.exists():
        raise BenchmarkFailed(f"{module} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    return answer.model_validate_json(given.read_bytes())


def middle(values: Sequence[float]) -> float:
    return float(median(values))
