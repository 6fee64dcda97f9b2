"""Replay: a past run under other instructions. Nothing is sent, and no value is shown unless asked for."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger import kept
from flows.ledger.tables import KEPT, RUN
from tests.faults.terminal import Said, ferry
from tests.faults.world import Practice
from tests.flows.ledgers import open_at
from tests.flows.versions.conftest import LABEL, OTHERWISE, beside, last_run

EFFECTS = "SELECT (SELECT count(*) FROM delivery), (SELECT count(*) FROM plan), (SELECT count(*) FROM run)"


@pytest.fixture
def run(here: Practice) -> str:
    """The run that carried all six."""
    assert here.run() == 0
    return last_run(here)


def replay(practice: Practice, *arguments: str) -> Said:
    said = ferry(practice, "replay", *arguments)
    assert said.code == 0, said.err
    return said


def test_under_its_own_version_nothing_differs(here: Practice, folder: Path, run: str) -> None:
    own = replay(here, run).out
    copied = replay(here, run, "--with", str(folder)).out

    for told in (own, copied):
        assert "6  decided as they were, byte for byte" in told
        assert "0  decided otherwise" in told and "S1" not in told
        assert "the instructions it had" in told


def test_the_difference_is_by_sentence_and_masked_and_nothing_is_sent(
    here: Practice, folder: Path, run: str
) -> None:
    beside(folder, program_py=OTHERWISE)
    before, effects = here.rows(), here.ledger(EFFECTS)
    here.healthie.reset()

    masked = replay(here, run, "--with", "next").out
    shown = replay(here, run, "--with", "next", "--show").out

    assert "6  decided otherwise" in masked
    assert "S1: 6 entries differ; Each patient is one row" in masked
    assert "     6  warehouse_upsert_patients.full_name" in masked
    assert "warehouse_upsert_patients.full_name: <text> → <text> by S1" in masked
    assert masked.index("S1: 6 entries") < masked.index("entry e")  # counts first
    for value in ("Ana", "Start", "example.com", *here.healthie.ids()):
        assert value not in masked
    assert "warehouse_upsert_patients.full_name: Ana Start3 → Start3 Ana by S1" in shown
    assert f"patient {here.healthie.ids()[3]}:" in shown
    assert (here.rows(), here.ledger(EFFECTS)) == (before, effects)
    assert here.healthie.requests()["count"] == 0
    acts = [
        str(act) for (act,) in here.ledger("SELECT act FROM audit WHERE act LIKE '%replayed%' ORDER BY seq")
    ]
    assert acts == ["entries of simple replayed", "entries of simple replayed with their values"]


def test_a_version_with_fewer_fields_sees_only_those(here: Practice, folder: Path, run: str) -> None:
    word = "'no_name' if list(entry) == ['email'] else 'other'"
    program = f"def decide(entry, today):\n    return skip('S2', {word})\n"
    beside(folder, program_py=program, fields_yaml="S1: [email]\n")

    told = replay(here, run, "--with", "next").out

    assert told.count("decision: write → skip by S2 (no_name) by S2") == 6


def test_a_version_that_needs_what_was_not_read_is_refused(here: Practice, folder: Path, run: str) -> None:
    beside(folder, fields_yaml="S1: [first_name, last_name, email, metadata.channel]\nS2: [active, dob]\n")

    said = ferry(here, "replay", run, "--with", "next")

    assert said.code == 1 and len(said.err.splitlines()) == 1
    assert f"{LABEL}: S2 needs dob, which run {run} did not read; " in said.err


def test_what_is_not_kept_cannot_be_decided_again(here: Practice, folder: Path) -> None:
    path = folder / "integration.yaml"
    path.write_text(path.read_text() + "keep_entries: PT0S\n")
    assert here.run() == 0

    told = replay(here, last_run(here)).out

    assert "6  not decided: what they were decided on is not kept (keep_entries)" in told
    assert here.ledger("SELECT count(*) FROM kept") == [(0,)]


def test_what_is_kept_is_sealed_and_goes_when_its_time_is_over(here: Practice, run: str) -> None:
    raw = b"".join(bytes(sealed) for (sealed,) in here.ledger("SELECT sealed FROM kept"))  # type: ignore[call-overload]
    assert len(raw) > 6 * 50 and b"Start" not in raw and b"example.com" not in raw
    engine = sa.create_engine(here.url)
    with engine.begin() as connection:
        connection.execute(sa.update(RUN).values(started=kept.now() - timedelta(days=31)))

    assert here.run() == 0

    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(KEPT)).scalar_one() == 0
    engine.dispose()
    assert ("entries kept for replay removed", 6) in here.ledger("SELECT act, count FROM audit")


def test_a_server_is_there_where_a_model_may_be_asked_and_its_key_may_be_sealed(
    here: Practice, folder: Path, run: str
) -> None:
    (here.folder / "prefect").write_text("a server of this machine cannot be started")
    tenant = folder.parent / "tenant.yaml"
    tenant.write_text(tenant.read_text().replace("api_key: $TEST_MODEL_KEY, ", ""))
    here.extra |= {"PREFECT_API_URL": "", "TEST_MODEL_URL": "http://127.0.0.1:1/v1"}

    alone = ferry(here, "replay", run)
    path = folder / "integration.yaml"
    path.write_text(path.read_text() + "decide: {judge: 'openai-compatible:test', connection: model}\n")
    judged = ferry(here, "replay", run)

    assert alone.code == 0, alone.err
    assert judged.code == 1 and "FileExistsError" in judged.err


def test_an_unknown_run_is_one_line(here: Practice, run: str) -> None:
    said = ferry(here, "replay", "r20260101000000abcdef")

    assert said.code == 1 and "the ledger has no such run; " in said.err


def test_a_kept_entry_opens_for_its_tenant_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    mine, other = open_at(url, tmp_path), open_at(url, tmp_path, tenant="other")
    case = kept.Case("1", {"last_name": "Canary"}, {}, kept.date(2026, 3, 1))

    sealed = kept.row(mine, "e1.1", case)["sealed"]

    assert isinstance(sealed, bytes) and b"Canary" not in sealed
    with pytest.raises(Exception, match="does not open"):
        other.seal.open(sealed, kept.PURPOSE)
    with pytest.raises(Exception, match="does not open"):
        mine.seal.open(sealed, "plan")
    mine.close()
    other.close()
