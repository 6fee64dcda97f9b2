"""Staged runs of random integrations over every connector: only reads leave, and only to what is declared.

Of each run it is looked at what its process did (an audit hook), and what came to the systems (proxies before
them); at the end, whether anything in them is another. A failure names its integration: FERRY_SEED=<number>
runs that one alone.
"""

import os
import random
import re
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from connectors.operation import Item
from connectors.sandbox.faults import RandomFaults, Trouble
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.probe import ProbeServer
from connectors.sandbox.proxy import Proxy
from connectors.sandbox.wire import Wire
from flows.parameters import Kind, Parameters
from tests.campaign import FULL
from tests.connectors.every import Case, World, cases, write_of
from tests.faults.world import DEPLOYMENTS, FORKS, environment_at
from tests.flows.staging import astray, drawn
from tests.flows.staging.engine import Asked, Told, serve
from tests.flows.staging.heard import Heard

RUNS = 92 if FULL else 2  # of each case; 1,000 and some over all of them
FIRST, _, LAST = os.environ.get("FERRY_SEED", "0:1000").partition(":")
SEEDS = range(int(FIRST), int(LAST or int(FIRST) + 1))
RATE = 0.1
KINDS: tuple[Kind, ...] = ("changes", "sweep", "resync", "retry", "undo")
RESETS: tuple[Trouble, ...] = ("reset", "reset_applied")  # of a wire
TROUBLES: tuple[Trouble, ...] = ("307", "429", "500", "reset", "truncated")
WITHOUT = {"healthie", "probe"}  # systems that are in every integration here, and have no case of their own
CASES = [one for one in cases() if one.system not in WITHOUT]
LOOPBACK = re.compile(r"127\.0\.0\.1:(\d+)")


@dataclass
class Place:
    """The systems of one test, the proxies before them, and the process that runs."""

    root: Path
    folder: Path  # of the targets that are files
    heard: Heard
    healthie: StandIn
    systems: dict[str, dict[str, Any]]
    proxies: list[Proxy | Wire]
    declared: set[str]
    environment: Mapping[str, str]  # that leads astray
    pipe: "Connection[Asked | None, Told]"
    ledger: str
    trap: astray.Trap
    done: int = 0
    runs: int = 0
    met: set[str] = field(default_factory=set[str])

    def run(self, chance: random.Random, name: str, kind: Kind, again: str) -> None:
        """One staged run, and everything that is to be true of it."""
        self.heard.forget()
        disturbed = chance.random() < 0.3 and self.runs > 0  # the first one of all stages something
        for proxy in self.proxies:
            _disturb(proxy, chance.randrange(10**6) if disturbed else None)
        more = dict(self.environment) if chance.random() < 0.5 else _some(chance, self.environment)
        undone = self._last(name) if kind == "undo" else ""
        asked = Parameters(
            tenant=drawn.TENANT,
            integration=name,
            kind=kind if undone or kind != "undo" else "changes",
            run=undone,
            mode="staging",
            dry_run=chance.random() < 0.1 and self.runs > 0,
        )
        self.pipe.send((asked, more, self.folder))
        assert self.pipe.poll(120), again
        ended, acts = self.pipe.recv()

        said = f"{again}: {asked.kind}: {ended}"
        assert self.heard.writes() == [], said
        assert self.trap.caught == [], said
        assert [what for kind_, what in acts if kind_ != "connects" and not self._may(kind_, what)] == [], (
            said
        )
        assert {what for kind_, what in acts if kind_ == "connects"} <= self.declared, said
        assert disturbed or "Traceback" not in ended, said
        self.runs += 1
        self.met |= {what for kind_, what in acts if kind_ == "connects"}

    def _may(self, kind: str, what: str) -> bool:
        """Names are looked up of the machine itself alone; nothing else is started or written."""
        return kind == "looks up" and what in ("127.0.0.1", "localhost", "None")

    def _last(self, name: str) -> str:
        query = (
            "SELECT run.id FROM run JOIN integration ON integration.id = run.integration "
            "WHERE name = :name ORDER BY started DESC"
        )
        found = self.rows(query, name=f"{name}.staging")
        return str(found[0][0]) if found else ""

    def rows(self, query: str, **values: str) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(self.ledger, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]


def _some(chance: random.Random, environment: Mapping[str, str]) -> dict[str, str]:
    names = chance.sample(sorted(environment), chance.randint(0, len(environment)))
    return {name: environment[name] for name in {*names, "NO_PROXY", "no_proxy"}}


def _disturb(proxy: Proxy | Wire, seed: int | None) -> None:
    if seed is None:
        proxy.faults()
    elif isinstance(proxy, Wire):
        proxy.faults(at_random=RandomFaults(rate=RATE, seed=seed, troubles=RESETS))
    else:
        proxy.faults(at_random=RandomFaults(rate=RATE, seed=seed, troubles=TROUBLES))


def test_every_target_is_among_them() -> None:
    assert {one.system for one in CASES} | WITHOUT == set(drawn.targets())


@pytest.mark.timeout(RUNS * 30 + 180)
@pytest.mark.parametrize("case", CASES, ids=[one.name for one in CASES])
def test_a_staged_run_only_reads_and_only_what_is_declared(
    case: Case, healthie: StandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    with _place(case, healthie, probe, prefect, tmp_path) as (place, world):
        before = _held(world), _files(place.folder), probe.effects()
        healthie.reset()
        for seed in SEEDS:
            if place.runs >= RUNS:
                break
            _integration(place, case, seed)

        assert (_held(world), _files(place.folder), probe.effects()) == before
        assert healthie.effects() == []
        assert bool(place.systems["target"]["at"] & place.met) == (world.proxy is not None)
    staged = place.rows("SELECT count(*) FROM staged")[0][0]
    assert staged > 0, "no run staged anything: it shows nothing"


def _integration(place: Place, case: Case, seed: int) -> None:
    chance = random.Random(f"{case.name} {seed}")
    others = [name for name in sorted(WITHOUT) if chance.random() < 0.5]
    name = f"drawn{seed}"
    again = f"replay with FERRY_SEED={seed} -k '{case.name}'"
    systems = {one: place.systems[one] for one in ("target", *others)}
    drawn.draw(chance, place.root, name, systems, asks=place.runs > 0)
    _edit(place, chance, "restore")
    place.run(chance, name, "changes", again)
    for _ in range(chance.randint(0, 2)):
        _edit(place, chance)
        place.run(chance, name, chance.choice(KINDS), again)


def _edit(place: Place, chance: random.Random, act: str = "") -> None:
    for patient in place.healthie.ids():
        if act:
            place.healthie.apply([Edit(act="restore", id=patient)])
        if act or chance.random() < 0.4:
            names = {"first_name": "Ana", "last_name": f"Drawn{chance.randrange(10**6)}"}
            place.healthie.apply([Edit(id=patient, values=dict(names))])


def _held(world: World) -> list[str]:
    found = world.records(world.samples[0].write)
    return sorted(str(sorted(one.items(), key=str)) for one in found)


def _files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its bytes and the moment at which it was changed last."""
    found = [one for one in sorted(folder.rglob("*")) if one.is_file()]
    return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) for one in found}


@contextmanager
def _place(
    case: Case, healthie: StandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> Generator[tuple[Place, World]]:
    folder, home, root = tmp_path / "world", tmp_path / "home", tmp_path / "deployments"
    for one in (folder, home, root):
        one.mkdir()
    (root / "models.yaml").write_text((DEPLOYMENTS / "models.yaml").read_text())
    heard, ledger = Heard(), f"sqlite:///{home / 'ledger.db'}"
    with ExitStack() as stack:
        world = stack.enter_context(case.opened(folder))
        _fill(world, healthie.ids())
        source, order = (stack.enter_context(Proxy(one)) for one in (healthie.url, probe.url))
        values, proxies = _before(stack, world)
        proxies += [source, order]
        described = {
            "healthie": ("healthie", {"url": f"{source.url}/graphql", "api_key": "$TEST_HEALTHIE_KEY"}),
            "probe": ("probe", {"url": order.url, "timeout": "2"}),
            "target": (case.system, {name: f"$TEST_TARGET_{name.upper()}" for name in values}),
        }
        drawn.connections(root, {**described, "reading": described["target"]})
        server = urlsplit(prefect["PREFECT_API_URL"]).netloc.replace("localhost", "127.0.0.1")
        at = {f"127.0.0.1:{port}" for text in values.values() for port in LOOPBACK.findall(text)}
        own = {urlsplit(one.url).netloc for one in (source, order)}
        trap = stack.enter_context(astray.Trap(int(one.partition(":")[2]) for one in at | own))
        for proxy in proxies:
            system = {id(source): "healthie", id(order): "probe"}.get(id(proxy), case.system)
            heard.listen(system, proxy, values.get("url", ""))
        environment = {
            **prefect,
            "FERRY_HOME": str(home),
            "FERRY_ENV": environment_at(home),
            "FERRY_LEDGER_URL": ledger,
            "FERRY_DEPLOYMENTS": str(root),
            "TEST_HEALTHIE_KEY": healthie.api_key,
            **{f"TEST_TARGET_{name.upper()}": text for name, text in values.items()},
        }
        pipe = stack.enter_context(_engine(environment, tmp_path / "engine.log"))
        confirmed = dict.fromkeys(sorted(case.connector.holds.names), "for a test")
        more = {"options": dict(world.options), "confirmed": confirmed}
        yield (
            Place(
                root=root,
                folder=folder,
                heard=heard,
                healthie=healthie,
                systems={
                    "target": {"system": case.system, "table": world.table, "more": more, "at": at},
                    "healthie": {"system": "healthie"},
                    "probe": {"system": "probe"},
                },
                proxies=proxies,
                declared=at | own | {server},
                environment=astray.environment(trap, tmp_path / "astray", spared=server),
                pipe=pipe,
                ledger=ledger,
                trap=trap,
            ),
            world,
        )


def _before(stack: ExitStack, world: World) -> tuple[dict[str, str], list[Proxy | Wire]]:
    """The connection's values, with a proxy before every place that they name."""
    values = {
        name: _text(value) for name, value in world.values.items() if not isinstance(value, dict | list)
    }
    there = [] if world.proxy is None else [world.proxy]
    known = {
        str(one.port) if isinstance(one, Wire) else urlsplit(one.url).netloc.partition(":")[2]
        for one in there
    }
    for port in sorted({port for text in values.values() for port in LOOPBACK.findall(text)} - known):
        proxy = stack.enter_context(Proxy(f"http://127.0.0.1:{port}"))
        place = urlsplit(proxy.url).netloc
        values = {name: text.replace(f"127.0.0.1:{port}", place) for name, text in values.items()}
        there.append(proxy)
    return values, there


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fill(world: World, patients: list[str]) -> None:
    """The target is in use: half of the patients are there, with other values."""
    sample = world.samples[0]
    with closing(world.connect()) as connector:
        items = [Item(f"old{at}", one, sample.make(at, 0)[1]) for at, one in enumerate(patients[::2])]
        assert {one.state for one in write_of(connector, sample).send(items)} == {"done"}


@contextmanager
def _engine(environment: Mapping[str, str], log: Path) -> Generator["Connection[Asked | None, Told]"]:
    ours: Connection[Asked | None, Told]
    ours, theirs = Pipe()
    process = FORKS.Process(target=serve, args=(theirs, dict(environment), str(log)), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        with suppress(OSError):  # it has ended already
            ours.send(None)
        process.join(20)
        if process.is_alive():
            process.kill()
            process.join()
        ours.close()
