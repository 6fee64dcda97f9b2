"""A practice for the fault tests: a stand-in, a target of every class, and engines that may be killed.

Engines run in processes of their own, forked from a server process that has imported the engine and
nothing else, so that a trial costs no start-up. Every engine is the real flow on a real Prefect server.
"""

import hashlib
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import Effect, ProbeServer

DEPLOYMENTS = Path(__file__).parent / "deployments"
LABEL = "acme/everything"
ONE_RUN = 90.0  # seconds; a run here takes two

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.engine"])


def environment_at(folder: Path) -> str:
    """The environment of what has its home there."""
    return f"test-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


@dataclass
class Practice:
    """One Healthie, one set of targets, one ledger: everything of one trial."""

    healthie: StandIn
    probe: ProbeServer
    prefect: Mapping[str, str]
    folder: Path
    url: str  # of the ledger
    label: str = LABEL
    extra: dict[str, str] = field(default_factory=dict[str, str])
    warehouse: Path | None = None  # where the declared target is kept; below `folder` if not said

    @property
    def env(self) -> str:
        """One Prefect server keeps the anchors of every trial: each trial is an environment of its own."""
        return environment_at(self.folder)

    def environment(self) -> dict[str, str]:
        return {
            **self.prefect,
            "FERRY_HOME": str(self.folder),
            "FERRY_ENV": self.env,
            "FERRY_LEDGER_URL": self.url,
            "FERRY_DEPLOYMENTS": str(DEPLOYMENTS),
            "TEST_HEALTHIE_URL": self.healthie.endpoint,
            "TEST_HEALTHIE_KEY": self.healthie.api_key,
            "TEST_PROBE_URL": self.probe.url,
            "TEST_WAREHOUSE_URL": f"sqlite:///{self.folder / 'warehouse.db'}",
            **self.extra,
        }

    def engine(self, kind: str = "changes", **environment: str) -> "Engine":
        """Start a run in a process of its own."""
        return Engine(self.label, kind, self.environment() | environment, self.folder / "engine.log")

    def run(self, kind: str = "changes", **environment: str) -> int:
        """One run to its end. The exit code: 0 complete, 3 incomplete, 1 failed, -9 killed."""
        return self.engine(kind, **environment).wait()

    def until_settled(self, runs: int = 6) -> list[int]:
        """Run until a run is complete or nothing moves any more. Gives the exit codes."""
        codes: list[int] = []
        while len(codes) < runs and (not codes or codes[-1] != 0):
            codes.append(self.run())
            time.sleep(0.6)  # the probe's horizon: orders in doubt may be looked for
        return codes

    def rows(self) -> dict[str, str]:
        """The warehouse: patient id -> full name."""
        path = self.warehouse or self.folder / "warehouse.db"
        if not path.exists():
            return {}
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            there = sa.inspect(connection).has_table("patients")
            query = sa.text("SELECT patient_id, full_name FROM patients")
            found = {str(one): str(name) for one, name in connection.execute(query)} if there else {}
        engine.dispose()
        return found

    def ledger(self, query: str) -> list[tuple[object, ...]]:
        """What the ledger holds, read beside the engine."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def doubtful(self) -> set[str]:
        """The keys of blind deliveries that the ledger lists for a person."""
        listed = self.ledger("SELECT key FROM delivery WHERE state = 'unknown' AND delivery_class = 'blind'")
        return {str(key) for (key,) in listed}


class Engine:
    """One process that runs the flow."""

    def __init__(self, label: str, kind: str, environment: Mapping[str, str], log: Path) -> None:
        from tests.faults.engine import main  # noqa: PLC0415  # in the child it is there already

        self.process = FORKS.Process(
            target=main, args=(label, kind, dict(environment), str(log)), daemon=True
        )
        self.process.start()

    def kill(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)

    def wait(self) -> int:
        self.process.join(ONE_RUN)
        if self.process.exitcode is None:
            self.kill()
            self.process.join(10)
            raise AssertionError(f"an engine was still going after {ONE_RUN:.0f} s")
        code = self.process.exitcode
        self.process.close()
        return code


@dataclass(frozen=True)
class Tally:
    """What arrived, held against what had to: the counts that must be zero."""

    lost: list[str]
    doubled: list[str]
    unlisted: list[str]  # blind ones that did not arrive and that nobody is told of


def tally(practice: Practice, expected: Mapping[str, list[str]]) -> Tally:
    """Compare every target with what had to arrive: {patient: last name of each version, in order}."""
    effects = practice.probe.effects()
    lost, doubled, absent = [], [], []
    rows, doubtful = practice.rows(), practice.doubtful()
    for patient, names in expected.items():
        mine = [effect for effect in effects if effect.patient == patient]
        if not rows.get(patient, "").endswith(names[-1]):
            lost.append(f"row of {patient}")
        if _last(mine, "upsert_contact", "last_name") != names[-1]:
            lost.append(f"contact of {patient}")
        if _surname(practice, patient) != names[-1]:
            lost.append(f"metadata of {patient}")
        for name in names:
            for operation, argument in (("keyed_charge", "memo"), ("create_order", "product")):
                _count(mine, operation, argument, name, lost, doubled)
            events = _having(mine, "send_event", "name", name)
            if len(events) > 1:
                doubled.append(f"send_event of {patient}")
            if not events:
                absent.append(f"send_event of {patient}")
    # a doubt that is listed accounts for one event that did not arrive, and for no more
    listed = doubtful - {effect.key for effect in effects}
    return Tally(lost, doubled, absent[len(listed) :])


def _having(effects: list[Effect], operation: str, argument: str, value: str) -> list[Effect]:
    return [one for one in effects if one.operation == operation and one.arguments.get(argument) == value]


def _last(effects: list[Effect], operation: str, argument: str) -> object:
    values = [one.arguments.get(argument) for one in effects if one.operation == operation]
    return values[-1] if values else None


def _count(
    effects: list[Effect], operation: str, argument: str, value: str, lost: list[str], doubled: list[str]
) -> None:
    number = len(_having(effects, operation, argument, value))
    if number == 0:
        lost.append(f"{operation} {value}")
    elif number > 1:
        doubled.append(f"{operation} {value}")


def _surname(practice: Practice, patient: str) -> object:
    import json  # noqa: PLC0415

    metadata = practice.healthie.row("User", patient).get("metadata")
    return json.loads(str(metadata)).get("ferry", {}).get("surname") if metadata else None


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


__all__ = ["Engine", "Practice", "Tally", "fresh", "sys", "tally"]
