"""An invented practice, recorded: what a week in staging says is what the next week costs live."""

import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.probe import ProbeServer
from flows.ledger.stage_tables import STAGE
from flows.ledger.tables import INTEGRATION, RUN
from flows.quote import Quote, quote
from flows.settings import Settings
from tests.agent.openai_server import Endpoint, serving
from tests.faults.conftest import MakeLedger
from tests.faults.test_model_terms import behaving
from tests.faults.world import DEPLOYMENTS, Practice

LABEL = "acme/modelled"
PATIENTS = 40
DAY = timedelta(days=1)
BEGAN = datetime.now(UTC).replace(microsecond=0) - 15 * DAY  # answers are dated by the real clock: later
CLOSE = 0.2
DAYS = [13, 11, 14, 3, 2, 12, 14, 15, 9, 16, 5, 1, 16, 12]  # edits of two weeks, which are not alike


@dataclass(frozen=True)
class Recorded:
    """A practice whose clock and whose source's clock go as they are set."""

    practice: Practice
    chance: random.Random

    def run(self, at: datetime, mode: str) -> None:
        self.practice.healthie.set_clock(at)
        assert self.practice.run(TEST_CLOCK=at.isoformat(), TEST_MODE=mode) == 0

    def edit(self, day: int) -> None:
        """What staff edits in that day: some patients far more often than others, one or the other twice."""
        ids, weights = self.practice.healthie.ids(), [1 / (1 + at % 17) for at in range(PATIENTS)]
        moments = sorted(self.chance.random() for _ in range(DAYS[day]))
        edits = [
            Edit(
                id=self.chance.choices(ids, weights)[0],
                values={"last_name": f"Day{day}n{at}x"},
                at=BEGAN + (day + 0.9 * moment) * DAY,
            )
            for at, moment in enumerate(moments)
        ]
        self.practice.healthie.set_clock(BEGAN + (day + 0.95) * DAY)
        self.practice.healthie.apply(edits)

    def stage_began(self, at: datetime) -> None:
        """The stage ends by the real clock; that it began by the recording's is written into the ledger."""
        engine = sa.create_engine(self.practice.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.update(STAGE).values(began=at))

    def counts(self, name: str) -> list[Mapping[str, int]]:
        """Of each run of an integration of the ledger, in their order."""
        query = sa.select(RUN.c.counts).join(INTEGRATION, INTEGRATION.c.id == RUN.c.integration)
        engine = sa.create_engine(self.practice.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            mine = query.where(INTEGRATION.c.name == name).order_by(RUN.c.started)
            return list(connection.execute(mine).scalars())


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(PATIENTS, seed=11) as stand_in:
        yield stand_in


@pytest.fixture
def recorded(
    healthie: StandIn, probe: ProbeServer, prefect: Mapping[str, str], ledger: MakeLedger, tmp_path: Path
) -> Iterator[Recorded]:
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    with serving(behaving) as endpoint:
        made = Practice(healthie, probe, prefect, tmp_path, ledger(tmp_path), label=LABEL)
        made.extra = _reaching(endpoint, tmp_path)
        healthie.set_clock(BEGAN - DAY)
        healthie.stamp(BEGAN - DAY)
        healthie.apply([Edit(act="restore", id=one) for one in healthie.ids()])
        healthie.apply(
            [Edit(id=one, values={"metadata": None, "email": f"{one}@example.com"}) for one in healthie.ids()]
        )
        yield Recorded(made, random.Random(2))


def _reaching(endpoint: Endpoint, folder: Path) -> dict[str, str]:
    known = {"TEST_MODEL_URL": endpoint.url, "TEST_MODEL_KEY": "test-key"}
    return {**known, "FERRY_DEPLOYMENTS": str(folder / "deployments")}


def test_a_week_in_staging_says_what_the_next_one_costs_live(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.run(BEGAN, "staging")
    recorded.stage_began(BEGAN)
    for day in range(7):
        recorded.edit(day)
        recorded.run(BEGAN + (day + 1) * DAY, "staging")

    said = _quoted(recorded, monkeypatch)

    recorded.run(BEGAN + 7 * DAY, "live")  # everyone, once
    for day in range(7, 14):
        recorded.edit(day)
        recorded.run(BEGAN + (day + 1) * DAY, "live")
    week, daily = recorded.counts("modelled")[1:], said.schedules[2]
    came = {name: sum(one.get(name, 0) for one in week) for name in {name for one in week for name in one}}
    told = {"planned": daily.records, "source_requests": daily.reads, "model_requests": daily.asked}
    told |= {"model_tokens": daily.tokens, "model_micro_usd": daily.micro_usd, "stored_bytes": daily.stored}
    told |= {f"requests_{target}": asked for target, asked in daily.requests.items()}
    assert set(daily.requests) == {"warehouse", "probe", "healthie"}
    figures = {name: (one.a_week, came[name]) for name, one in told.items()}
    assert {name: both for name, both in figures.items() if abs(both[0] / both[1] - 1) > CLOSE} == {}
    assert daily.fits and said.drivers.entries == PATIENTS


def _quoted(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> Quote:
    for name, value in recorded.practice.environment().items():
        monkeypatch.setenv(name, value)
    return quote(Settings(), LABEL, "staging")
