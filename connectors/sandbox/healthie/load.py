"""Load: a practice full of synthetic or Synthea's patients."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from connectors.sandbox.healthie.catalogue import make_catalogue
from connectors.sandbox.healthie.clock import Clock
from connectors.sandbox.healthie.practice import Practice
from connectors.sandbox.healthie.state import State
from connectors.sandbox.healthie.surroundings import patients as add_patients
from connectors.sandbox.healthie.synthea import load_synthea
from connectors.sandbox.healthie.synthetic import Maker

AGED = timedelta(days=900)  # the practice itself is older than its patients


def new_practice(
    *,
    patients: int,
    seed: int,
    synthea: Path | None = None,
    now: datetime | None = None,
    one_stamp: bool = False,
) -> Practice:
    """A practice with so many synthetic patients, or with Synthea's of that folder.

    Args:
        now: the clock stands still here; default it runs from the present.
        one_stamp: every row carries one and the same `updated_at`, a day old.
    """
    state = State(Clock(now.astimezone(UTC) if now else None))
    draw = Random(seed)  # noqa: S311
    moment = state.clock.now()
    known = make_catalogue(state, draw)
    for table in state.tables.values():
        for row in table.rows.values():
            table.change(row, {"created_at": moment - AGED, "updated_at": moment - AGED})
    maker = Maker(state, draw, known, moment)
    if synthea is not None:
        load_synthea(maker, synthea)
    else:
        add_patients(maker, patients)
    if one_stamp:
        for table in state.tables.values():
            for row in table.rows.values():
                table.change(row, {"updated_at": moment - timedelta(days=1)})
    for table in state.tables.values():
        if table.has_order("UPDATED_AT"):
            table.ascending("UPDATED_AT")
    state.touched.clear()
    return Practice(state)
