"""Canary patients go through everything that may happen to an entry; what is left behind is to be scanned."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from connectors.healthie.fields import catalogue
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.faults import Fault, Trouble
from connectors.sandbox.probe import Faults, ProbeServer, Scripted
from connectors.sandbox.probe.faults import FaultName
from tests.faults.terminal import Said, ferry
from tests.faults.wire import Tap
from tests.faults.world import DEPLOYMENTS, Practice

LABEL = "acme/everything"
LOUD = "gql,sqlalchemy,pydantic_ai,alembic"  # loggers that somebody might send to Prefect
RAISING = 'def decide(entry, today):\n    raise ValueError(f"{entry}")\n'
UNGRANTED = """def decide(entry, today):
    return [
        probe_create_order(because=["S1"], product=entry["last_name"]),
        warehouse_upsert_patients(because=["S1"], full_name=entry["last_name"], email=entry["first_name"]),
    ]
"""


@dataclass
class Story:
    """What happened, and where the traces are."""

    base: Path  # a folder for each act: its FERRY_HOME, with its logs and its temporary files
    words: list[str]
    ids: list[str]
    codes: dict[str, int] = field(default_factory=dict[str, int])
    said: dict[str, Said] = field(default_factory=dict[str, Said])
    argv: set[bytes] = field(default_factory=set[bytes])
    taps: dict[str, Tap] = field(default_factory=dict[str, Tap])

    def targets(self) -> set[Path]:
        """The files of the declared target, where patient data belongs."""
        return set(self.base.glob("*/warehouse.db*"))


class Stage:
    """Sets the scene of each act: the same patients, another FERRY_HOME."""

    def __init__(
        self,
        story: Story,
        healthie: StandIn,
        probe: ProbeServer,
        prefect: Mapping[str, str],
        ledger: Callable[[Path], str],
    ) -> None:
        self.story, self.healthie, self.probe, self.ledger = story, healthie, probe, ledger
        tapped = f"http://127.0.0.1:{story.taps['prefect'].port}/api"
        self._prefect = {**prefect, "PREFECT_API_URL": tapped}

    def practice(self, name: str, program: str | None = None) -> Practice:
        folder = self.story.base / name
        (folder / "tmp").mkdir(parents=True)
        taps = self.story.taps
        loud = {
            "TEST_EVERYTHING_LOG": str(folder / "everything.log"),
            "PREFECT_LOGGING_LEVEL": "DEBUG",
            "PREFECT_LOGGING_ROOT_LEVEL": "DEBUG",
            "PREFECT_LOGGING_EXTRA_LOGGERS": LOUD,
        }
        extra = {
            "FERRY_DEPLOYMENTS": str(_deployments(folder, program)),
            "TEST_HEALTHIE_URL": f"http://127.0.0.1:{taps['healthie'].port}/graphql",
            "TEST_PROBE_URL": f"http://127.0.0.1:{taps['probe'].port}",
            "TMPDIR": str(folder / "tmp"),
        }
        url = self.ledger(folder)
        return Practice(self.healthie, self.probe, self._prefect, folder, url, LABEL, extra | loud)

    def act(self, name: str, program: str | None = None, **environment: str) -> Practice:
        """One run, as everything stands."""
        practice = self.practice(name, program)
        self.story.codes[name] = practice.run(**environment)
        self.healthie.faults()
        self.probe.set_faults(Faults())
        return practice

    def says(self, practice: Practice, name: str, *arguments: str) -> None:
        self.story.said[name] = ferry(practice, *arguments)

    def source_fails(self, trouble: Trouble, skip: int = 3) -> None:
        self.healthie.faults([Fault(trouble=trouble, skip=skip, times=None)])

    def target_fails(self, fault: FaultName) -> None:
        self.probe.set_faults(
            Faults(script=tuple(Scripted(request=at, fault=fault) for at in range(1, 5)), hang=0.8)
        )


@contextmanager
def told(base: Path, prefect: Mapping[str, str], ledger: Callable[[Path], str]) -> Iterator[Story]:
    """The story, told to its end."""
    with ExitStack() as stack:
        healthie = stack.enter_context(StandIn(1, seed=8))
        probe = stack.enter_context(ProbeServer())
        ids, words = healthie.canary(2)
        story = Story(base, words, ids)
        addresses = {"healthie": healthie.url, "probe": probe.url, "prefect": prefect["PREFECT_API_URL"]}
        for name, url in addresses.items():
            story.taps[name] = stack.enter_context(Tap(urlsplit(url).port or 0))
        with watching(story.argv):
            _tell(Stage(story, healthie, probe, prefect, ledger))
        assert healthie.notes() == {}
        yield story


def _tell(stage: Stage) -> None:
    good = stage.act("good")
    stage.says(good, "status", "status")
    stage.says(good, "explain", "explain", LABEL, stage.story.ids[0])
    stage.says(good, "run", "run", LABEL, "--sweep")
    stage.says(stage.practice("dry"), "dry run", "run", LABEL, "--dry-run")
    stage.act("program raises", RAISING)
    stage.act("gate refuses", UNGRANTED)
    for trouble in ("partial", "half_json"):
        stage.source_fails(trouble)
        stage.act(f"source {trouble}")
    stage.source_fails("errors")
    stage.says(stage.practice("source errors"), "failing run", "run", LABEL)
    stage.healthie.faults()
    for fault in ("all_refused", "502_after", "html"):
        stage.target_fails(fault)
        stage.act(f"target {fault}")
    killed = stage.act("killed", FERRY_CRASH_AT="after settle")
    assert stage.story.codes["killed"] == -signal.SIGKILL
    stage.story.codes["resumed"] = killed.run()


def _deployments(folder: Path, program: str | None) -> Path:
    """The practice's files, but every field there is gets read."""
    there = folder.parent / "deployments" / folder.name
    integration = DEPLOYMENTS / LABEL
    (there / LABEL).mkdir(parents=True)
    (there / "acme" / "tenant.yaml").write_bytes((DEPLOYMENTS / "acme" / "tenant.yaml").read_bytes())
    for name in ("integration.yaml", "instructions.md"):
        (there / LABEL / name).write_bytes((integration / name).read_bytes())
    everything = sorted({*catalogue(), "metadata.canary"} - {"metadata"})
    (there / LABEL / "fields.yaml").write_text(yaml.safe_dump({"S1": everything}))
    (there / LABEL / "program.py").write_text(program or (integration / "program.py").read_text())
    return there


@contextmanager
def watching(seen: set[bytes]) -> Iterator[None]:
    """Collect the command lines of every process that this one, or one of its children, starts."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            seen.update(_command_lines(os.getpid()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        time.sleep(0.1)
        stop.set()
        thread.join()


def _command_lines(root: int) -> Iterator[bytes]:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it has just ended
    ours = {root}
    for _ in range(6):
        ours |= {one for one, parent in parents.items() if parent in ours}
    for one in ours - {root}:
        try:
            yield (Path("/proc") / str(one) / "cmdline").read_bytes()
        except OSError:
            continue
