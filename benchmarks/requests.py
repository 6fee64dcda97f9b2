"""How often Healthie is asked: it allows a few requests a second, so requests are what a run costs."""

from collections.abc import Collection

from benchmarks.figures import BenchmarkFailed, Figure, Measurement, at_most
from benchmarks.ground import Ground, Home
from benchmarks.measured import Measured, Order
from connectors.sandbox.healthie.edits import Edit

READING = ("Patients", "SinglePatients", "Rows")
READ = "Healthie requests to read the changed entries"
DETECT = "… to find them, beside that"
NOTHING = "Healthie requests of a run with nothing changed"
ROWS = (READ, DETECT, NOTHING)
READ_LIMIT = 80
NOTHING_LIMIT = 15


def measure(ground: Ground) -> Measurement:
    size, changed = ground.sizes.large, ground.sizes.changed
    home = ground.loaded(size).home
    idle = home.run(Order())
    _expect(idle, 0, "a run with nothing changed")
    edited = _edit(home, changed)
    busy = home.run(Order())
    _expect(busy, edited, "a run after edits")
    reading = sum(busy.documents.get(name, 0) for name in READING)
    finding = sum(busy.documents.values()) - reading
    allowed = READ_LIMIT * max(1.0, changed / 1000)
    return Measurement(
        [
            at_most(
                f"{READ}: {changed:,} of {size:,}",
                reading,
                allowed,
                f"counted by the stand-in; {1000 * reading / edited:.0f} for each 1,000",
            ),
            Figure(DETECT, str(finding), "–", None, _kinds(busy, but=READING)),
            at_most(
                f"{NOTHING}: {size:,} patients",
                sum(idle.documents.values()),
                NOTHING_LIMIT,
                f"counted by the stand-in, without the weekly sweep; {_kinds(idle)} (rows stamped within "
                "the feeds' overlap are read again)",
            ),
        ]
    )


def _edit(home: Home, number: int) -> int:
    """Give so many active patients another name, as staff would. Returns how many it were."""
    active = [one for one, row in home.rows().items() if row["status"] != "archived"][:number]
    home.healthie.apply([Edit(id=one, values={"last_name": f"Edited{at}"}) for at, one in enumerate(active)])
    return len(active)


def _expect(run: Measured, planned: int, what: str) -> None:
    if run.counts.get("planned", 0) != planned or run.counts.get("delivery_done", 0) != planned:
        raise BenchmarkFailed(f"{what} was to plan {planned}: {run.counts}")


def _kinds(run: Measured, but: Collection[str] = ()) -> str:
    asked = {name: number for name, number in run.documents.items() if name not in but}
    return "asked for: " + ", ".join(f"{name} {number}" for name, number in sorted(asked.items()))
