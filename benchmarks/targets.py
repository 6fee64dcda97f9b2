"""What each target costs: requests for changed entries, none for unchanged ones, and rows a second."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.figures import BenchmarkFailed, Figure, Measurement, at_most
from benchmarks.ground import Ground, Home
from benchmarks.measured import Order
from connectors.operation import Item
from connectors.sandbox.healthie.edits import Edit
from tests.connectors.deploying import LABEL, column_of, deployed
from tests.connectors.every import Case, World, cases, write_of

WRITES = "Target writes for changed entries"
READS = "Target reads for changed entries"
NOTHING = "Target writes of a run with nothing changed"
RATE = "Rows a second into a target"
ROWS = (RATE,)  # the others are of those cases that say what they may cost
WORDS = (
    "Writes and reads of a target are counted at its stand-in while the real engine delivers; the table is "
    "there, and its shape is read once a run. Rows a second are the connector's alone, into a stand-in on "
    "this machine that shares its processors: they compare connectors, and promise nothing of a vendor.",
)


def measure(ground: Ground) -> Measurement:
    figures: list[Figure] = []
    for case in cases():
        if case.most:
            figures += _requests(ground, case)
    for case in cases():
        with case.opened(_folder(ground, case)) as world:
            figures += _rate(case, world, ground.sizes.middle) if world.table else []
    return Measurement(figures, words=WORDS)


def _folder(ground: Ground, case: Case) -> Path:
    folder = ground.folder(case.name)
    folder.mkdir(parents=True)
    return folder


def _requests(ground: Ground, case: Case) -> Iterator[Figure]:
    """The real engine, three times: everything is new, everything has changed, nothing has."""
    most, changed = case.most, ground.sizes.changed
    assert most is not None
    deployments = ground.folder("deployments")
    with case.opened(_folder(ground, case)) as world:
        named = deployed(case, world, deployments)
        home = ground.home(changed, deployments, edited=True)
        own = {"TEST_HEALTHIE_URL": home.healthie.endpoint, "TEST_HEALTHIE_KEY": home.healthie.api_key}
        home.environment |= named | own
        home.run(Order(label=LABEL))
        edited = _edit(home, case.name)
        writes, reads = _during(world, home, edited)
        again, _ = _during(world, home, 0)
    scale = max(1.0, edited / 1000)
    named_as = f"{case.name}: {edited:,} entries"
    how = "counted at the stand-in, the real engine delivering"
    yield at_most(f"{WRITES}, {named_as}", writes, most.writes * scale, how, unit=most.unit)
    if most.reads is not None:
        how = "read-back of what is replaced and of what arrived included"
        yield at_most(f"{READS}, {named_as}", reads, most.reads * scale, how, unit=most.unit)
    yield at_most(f"{NOTHING}, {case.name}", again, 0, "counted at the stand-in", unit=most.unit)


def _edit(home: Home, word: str) -> int:
    """Give every patient a last name that nobody had, as staff would. Returns how many are active."""
    patients = home.healthie.ids()
    home.healthie.apply(
        [Edit(id=one, values={"last_name": f"{word.title()}{at}"}) for at, one in enumerate(patients)]
    )
    return sum(1 for row in home.healthie.rows() if row.get("is_patient") and row.get("active"))


def _during(world: World, home: Home, planned: int) -> tuple[int, int]:
    """Writes and reads of the target during one run, which has to write so many entries."""
    assert world.writes is not None
    before = world.writes(), world.reads() if world.reads else 0
    run = home.run(Order(label=LABEL))
    done = run.counts.get("delivery_done", 0)
    if done != planned:
        raise BenchmarkFailed(f"a run was to write {planned} entries and wrote {done}: {run.counts}")
    return world.writes() - before[0], (world.reads() if world.reads else 0) - before[1]


def _rate(case: Case, world: World, rows: int) -> Iterator[Figure]:
    sample = next(one for one in world.samples if one.text)
    column = column_of(world)
    with closing(world.connect()) as connector:
        write = write_of(connector, sample)
        items = [Item(f"r{at}", f"r{at}", {column: f"Lima {at}"}) for at in range(rows)]
        write.send(items[:1])  # its table is made
        began = time.perf_counter()
        for at in range(0, rows, write.batch):
            if any(outcome.state != "done" for outcome in write.send(items[at : at + write.batch])):
                raise BenchmarkFailed(f"{case.name} did not take every row")
        spent = time.perf_counter() - began
    how = f"{rows:,} new rows of two columns, {write.batch:,} in a batch"
    yield Figure(f"{RATE}, {case.name}", f"{rows / spent:,.0f}", "–", None, how)
