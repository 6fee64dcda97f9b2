"""What goes to a measured child process and what comes back, as JSON."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from benchmarks.stopwatch import Spent

LABEL = "demo/warehouse"  # the integration that is measured


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Order(Model):
    """What a child is to do.

    one_by_one: one thread reads and one decides, so that no work hides behind waiting and the time of each
    step can be told.
    """

    kind: Literal["changes", "sweep"] = "changes"
    label: str = LABEL
    mode: Literal["live", "staging"] = "live"
    one_by_one: bool = False


class Measured(Model):
    """One run, in a process of its own. Times are seconds, without interpreter start and imports."""

    wall: float
    waiting: float  # for the source
    cpu: float  # this process, user and system
    cpu_of_children: float  # the sandbox's worker
    peak: int  # KiB resident
    counts: dict[str, int]  # the run's own
    documents: dict[str, int]  # requests to the source by the name of their document
    steps: dict[str, Spent] = {}  # in the order of an entry's way
    flow_run: str = ""

    @property
    def own(self) -> float:
        """Seconds of the run in which it did not wait for the source."""
        return self.wall - self.waiting

    @property
    def cpu_in_all(self) -> float:
        return self.cpu + self.cpu_of_children


class DltOrder(Model):
    """What the dlt child is to do: one run of its pipeline."""

    url: str
    key: str
    database: str
    pipelines: str  # dlt's own folder


class DltMeasured(Model):
    """One run of the dlt pipeline."""

    wall: float
    waiting: float
    peak: int  # KiB resident
    requests: int


class DecideOrder(Model):
    """What the deciding child is to do: read everyone, then decide everyone."""

    url: str
    key: str
    today: date


class DecideMeasured(Model):
    """One process that decided everyone. Seconds of deciding alone: reading is over before."""

    seconds: float
    cpu: float  # this process, user and system
    cpu_of_children: float  # the sandbox's worker
    decided: int
    written: int  # of them, plans to write
    plans: str  # SHA-256 over the hashes of all plans, in the order of the patients


class LoadOrder(Model):
    """What the loading child is to do: load so many rows twice, each of them changed the second time."""

    by: Literal["ferry", "dlt"]
    url: str
    rows: int
    folder: str  # dlt's own


class LoadMeasured(Model):
    """Seconds of each load, without interpreter start and imports."""

    first: float
    again: float
