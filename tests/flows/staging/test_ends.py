"""A stage's end: whoever is killed in it, whoever reads meanwhile, nothing of it comes back."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows import sweeper
from flows.forget import forget
from flows.ledger import keys, lease, stages
from flows.ledger.database import connect
from flows.ledger.stages import Extension, Stage, StageInUse, StageOver
from flows.ledger.store import LeaseLost, audit_key
from flows.ledger.verify import verify
from flows.settings import Settings
from flows.vault import KeyFile
from tests.faults.world import FORKS
from tests.flows.ledgers import open_at
from tests.flows.review.filled import stage as filled
from tests.flows.vault.ledgers import files_with, stored

FEW = 6
KEY = stages.key_name("demo", "warehouse", 1)
LATER = Extension(datetime(2999, 1, 1, tzinfo=UTC), "Ana", "a second look")
ENDS = [
    "stage of warehouse ended",
    "data key destroyed",
    "rows of the stage of warehouse removed",
    "data of the stage of warehouse destroyed",
]
ROWS = ("entry", "plan", "delivery", "staged", "cursor", "kept", "mark", "judgement")


class Place:
    """A ledger with one stage in it, which a run filled."""

    def __init__(self, folder: Path, url: str) -> None:
        self.settings = Settings(
            home=folder, env="local", ledger_url=url, key_file=folder / "keys" / "ferry.key"
        )
        with filled(folder, FEW, url):
            pass
        self.kek = KeyFile(folder / "keys" / "ferry.key")
        self.engine = connect(url)

    @property
    def stage(self) -> Stage:
        return stages.known(self.engine, "demo", "warehouse")

    def destroy(self, one: Stage | None = None) -> bool:
        return stages.destroy(self.engine, self.kek, "local", one or self.stage)

    def extend(self) -> None:
        stages.extend(self.engine, self.kek, "local", self.stage, LATER)

    def rows(self) -> int:
        with self.engine.connect() as connection:
            counts = (connection.execute(sa.text(f"SELECT count(*) FROM {one}")) for one in ROWS)
            return sum(int(one.scalar_one()) for one in counts)

    def swept(self) -> list[int]:
        return [one.number for one in sweeper.end_stages(self.engine, self.settings, [])]

    def open_key(self) -> str:
        """The name of the key that the next run opens."""
        return stages.current(self.engine, self.kek, "local", "demo", "warehouse")

    def ends(self) -> list[str]:
        """What the audit says of stages' ends, in its order."""
        with self.engine.connect() as connection:
            said = connection.execute(sa.text("SELECT act FROM audit WHERE integration = '' ORDER BY seq"))
            return [str(act) for act in said.scalars() if "made" not in str(act)]

    def sound(self) -> bool:
        key = audit_key(self.engine, self.kek, "local")
        return list(verify(self.engine, key, "")) == []


@pytest.fixture
def place(tmp_path: Path, ledger_url: str) -> Iterator[Place]:
    made = Place(tmp_path, ledger_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Place]:
    """One in a file."""
    made = Place(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}")
    yield made
    made.engine.dispose()


def destroy_until_killed(url: str, folder: Path, at: int) -> None:
    os.environ["FERRY_CRASH_AT"] = str(at)
    engine, kek = connect(url), KeyFile(folder / "keys" / "ferry.key")
    stages.destroy(engine, kek, "local", stages.known(engine, "demo", "warehouse"))


def test_an_end_that_is_killed_anywhere_is_finished_by_the_sweeper(tmp_path: Path) -> None:
    killed = 0
    for at in range(1, 20):
        folder = tmp_path / str(at)
        folder.mkdir()
        url = f"sqlite:///{folder / 'ledger.db'}"
        place = Place(folder, url)
        wrapped = stored(url)[KEY].content
        child = FORKS.Process(target=destroy_until_killed, args=(url, folder, at))
        child.start()
        child.join(120)
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        killed += 1

        assert place.swept() == [1]  # whatever had been done of it
        assert place.rows() == 0
        assert stored(url)[KEY].content == b""
        assert files_with(folder, wrapped) == [], at
        assert place.stage.destroyed is not None
        assert place.ends() == ENDS
        assert place.sound()
        place.engine.dispose()

    assert killed == 7


def test_what_was_cut_off_is_gone_on_with_by_the_next_run_too(local: Place, tmp_path: Path) -> None:
    child = FORKS.Process(target=destroy_until_killed, args=(local.settings.ledger_url, tmp_path, 1))
    child.start()
    child.join(120)

    assert local.stage.over and local.stage.destroyed is None
    with pytest.raises(StageOver, match="its data is destroyed"):
        local.open_key()
    assert local.swept() == []
    assert local.rows() == 0


def test_one_that_was_extended_after_its_end_begins_with_nothing(place: Place) -> None:
    assert place.destroy()
    place.extend()

    assert (place.stage.number, place.stage.destroyed) == (2, None)
    assert place.open_key().endswith(".staging.2")
    assert place.rows() == 0
    assert place.swept() == []


def test_an_extension_that_comes_before_the_sweeper_destroys_first(place: Place) -> None:
    _move_end(place)

    place.extend()

    assert (place.stage.number, place.rows()) == (2, 0)
    assert keys.key_of(place.engine, KEY).destroyed is not None


def test_who_is_late_to_end_a_stage_leaves_the_next_one_alone(place: Place) -> None:
    late = place.stage
    assert place.destroy()
    place.extend()
    with place.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO cursor SELECT id, 'f', '2026-01-01' FROM integration"))

    place.destroy(late)

    assert place.rows() > 0
    assert (place.stage.number, place.stage.over) == (2, False)


def test_a_run_that_goes_on_is_fenced_out(place: Place, tmp_path: Path) -> None:
    url, name = place.settings.ledger_url, stages.named("warehouse")
    going = open_at(url, tmp_path / "keys", name, tenant="demo", environment="local", key=KEY)
    lease.take(going, "rgoing")
    stages.begin(going)

    assert place.destroy()

    with pytest.raises(LeaseLost), going.writing("test"):
        pass
    with pytest.raises(StageOver):  # one that had opened the stage and did not have its lease yet
        lease.take(going, "rlate")
    place.extend()
    with pytest.raises(StageOver):  # its key is the former stage's
        lease.take(going, "rlate")
    going.close()


def test_who_reads_meanwhile_delays_the_end_and_does_not_prevent_it(local: Place, tmp_path: Path) -> None:
    wrapped = stored(local.settings.ledger_url)[KEY].content
    local.engine.dispose()
    sa.event.listen(local.engine, "connect", lambda one, _: one.execute("PRAGMA busy_timeout = 50").close())
    other = connect(local.settings.ledger_url)
    with other.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM data_key")).scalar_one()

        assert not local.destroy()
        with pytest.raises(StageInUse):
            local.extend()
        assert local.swept() == []
        with pytest.raises(StageOver, match="ferry sweep destroys its data"):
            local.open_key()
        assert local.ends() == ENDS[:-1]  # each step once, however often it is tried
    other.dispose()

    assert local.swept() == [1]
    assert local.ends() == ENDS
    assert files_with(tmp_path, wrapped) == []


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_who_reads_postgresql_for_long_delays_the_end_too(place: Place) -> None:
    place.engine.dispose()
    sa.event.listen(
        place.engine, "connect", lambda one, _: (one.execute("SET lock_timeout = 50"), one.commit())
    )
    other = connect(place.settings.ledger_url)
    with other.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM data_key")).scalar_one()

        assert not place.destroy()
        with pytest.raises(StageInUse):
            place.extend()
        assert place.swept() == []
    other.dispose()

    assert place.swept() == [1]
    assert place.ends() == ENDS


def test_a_first_run_that_was_cut_off_leaves_no_key_when_the_tenant_is_forgotten(
    local: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    url, name = local.settings.ledger_url, stages.named("other")
    open_at(url, tmp_path / "keys", "warehouse", tenant="demo", environment="local").close()
    key = stages.key_name("demo", "other", 1)
    open_at(url, tmp_path / "keys", name, tenant="demo", environment="local", key=key).close()

    forget(local.settings, "demo")

    assert {one.content for one in stored(url).values()} == {b""}


def _move_end(place: Place) -> None:
    with place.engine.begin() as connection:
        connection.execute(sa.text("UPDATE stage SET ends = '2026-01-01 00:00:00.000000'"))
