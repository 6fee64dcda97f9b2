"""Extending a stage and writing to it, while others end it: it goes on, or begins anew with nothing in it."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from flows.cli.stage import NotExtended, _extension
from flows.ledger import audit, entries, lease, marks, stages
from flows.ledger.audit_key import AuditKey
from flows.ledger.stages import Extension, StageInUse, StageOver
from flows.ledger.store import LeaseLost, Ledger
from flows.ledger.tables import ENTRY
from flows.review import acts
from tests.flows.ledgers import open_at
from tests.flows.staging.test_ends import KEY, LATER, Place, _move_end, local, place

__all__ = ["local", "place"]

WHY = "Ana Canary, again"


def opened(place: Place, key: str = KEY) -> Ledger:
    """The stage's ledger, as a run or a page has it open."""
    keys, url = place.settings.home / "keys", place.settings.ledger_url
    return open_at(url, keys, stages.named("warehouse"), tenant="demo", environment="local", key=key)


def undestroyed(place: Place) -> list[int]:
    with place.engine.connect() as connection:
        query = sa.text("SELECT number FROM stage WHERE destroyed IS NULL ORDER BY number")
        return [int(one) for one in connection.execute(query).scalars()]


def test_a_stage_that_ended_since_it_was_read_does_not_come_back(local: Place) -> None:
    before = local.stage
    local.engine.dispose()
    sa.event.listen(local.engine, "connect", lambda one, _: one.execute("PRAGMA busy_timeout = 50").close())
    with local.engine.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM data_key")).scalar_one()
        assert not local.destroy()

        with pytest.raises(StageInUse):
            stages.extend(local.engine, local.kek, "local", before, LATER)

        assert local.stage.over and undestroyed(local) == [1]
    stages.extend(local.engine, local.kek, "local", before, LATER)

    assert undestroyed(local) == [2]
    opened(local, local.open_key()).close()


def test_a_stage_that_runs_over_while_it_is_extended_is_destroyed_before_the_next_begins(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, key_of = place.stage, stages.audit_key

    def slow(*asked: object) -> AuditKey:  # the key-encryption key takes its time
        found = key_of(place.engine, place.kek, "local")
        _move_end(place)
        return found

    monkeypatch.setattr(stages, "audit_key", slow)
    stages.extend(place.engine, place.kek, "local", before, LATER)

    assert undestroyed(place) == [2]
    assert place.rows() == 0
    assert place.swept() == []


def test_two_who_extend_at_once_agree_on_one_stage(place: Place) -> None:
    before = place.stage
    assert place.destroy()
    ready, failed = threading.Barrier(2), list[Exception]()

    def extend() -> None:
        ready.wait(60)
        try:
            stages.extend(place.engine, place.kek, "local", before, LATER)
        except StageInUse as error:  # they may meet at the scrub
            failed.append(error)

    both = [threading.Thread(target=extend) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(120)

    assert len(failed) < 2
    assert (undestroyed(place), place.stage.number) == ([2], 2)


@pytest.mark.parametrize("begun", [False, True])
def test_a_click_that_comes_in_as_the_stage_ends_leaves_nothing(place: Place, begun: bool) -> None:
    page = opened(place)
    assert place.destroy()
    if begun:
        place.extend()

    with pytest.raises(StageOver, match="staging ended on 20"):
        marks.put(page, "d1", "wrong", WHY, "Ana")

    page.close()
    assert place.rows() == 0
    assert not any("marked" in act for act in place.ends())


def test_what_was_left_behind_once_is_not_in_the_next_stage(place: Place) -> None:
    page = opened(place)
    assert place.destroy()
    with place.engine.begin() as connection:
        page.epoch = lease.epoch(connection, page.integration)
    known = entries.known(page, ["100000"])["100000"]
    row = entries.row_of(page, known, fingerprint="f", version=0) | {"state": "review"}
    with place.engine.begin() as connection:
        connection.execute(ENTRY.insert().values(row))
    page.close()

    place.extend()

    assert place.rows() == 0


@pytest.mark.parametrize(
    "act",
    [
        lambda page, ref: acts.leave(page, ref, WHY, "Ana"),
        lambda page, ref: acts.again(page, ref, WHY, "Ana"),
        lambda page, ref: acts.settle(page, [ref], "Ana", go=True),
    ],
    ids=["leave", "again", "settle"],
)
def test_a_word_that_comes_in_as_the_stage_ends_leaves_nothing(
    place: Place, act: Callable[[Ledger, str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, take = opened(place), lease.take
    with place.engine.connect() as connection:
        ref = str(connection.execute(sa.text("SELECT ref FROM entry WHERE state = 'review'")).scalar_one())

    def late(ledger: Ledger, run: str, patience: float = 0.0) -> None:
        assert place.destroy()
        take(ledger, run, patience)

    monkeypatch.setattr(lease, "take", late)

    with pytest.raises(StageOver):
        act(page, ref)

    page.close()
    assert place.rows() == 0


def test_a_word_whose_lease_was_taken_before_the_end_is_fenced_out(place: Place) -> None:
    page = opened(place)

    with acts.acting(page, "Ana"):
        assert place.destroy()
        with pytest.raises(LeaseLost), page.writing("a person's word"):
            pass

    page.close()
    assert place.rows() == 0


def test_the_whole_reason_is_in_the_audit_or_is_refused(place: Place) -> None:
    label, day = "demo/warehouse", f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    room = audit.LONGEST - len(f"stage of warehouse extended to {day}: ")
    longest = "x" * (room - 4) + " END"

    extension = _extension(label, day, "Ana", longest)
    stages.extend(place.engine, place.kek, "local", place.stage, extension)

    assert place.ends()[-1].endswith(longest)
    with pytest.raises(NotExtended, match=f"^{label}: --reason: say it in {room} characters"):
        _extension(label, day, "Ana", longest + ".")
    with pytest.raises(NotExtended, match=f"^{label}: --by: a name of 194 characters"):
        _extension(label, day, "A" * 194, "more")
    named = _extension(label, day, "A" * 193, "more")
    stages.extend(place.engine, place.kek, "local", place.stage, named)


def test_an_extension_says_what_it_will_say_in_the_audit() -> None:
    day = datetime(2999, 1, 1, tzinfo=UTC)

    assert Extension(day, "Ana", "why").act("crm") == "stage of crm extended to 2999-01-01: why"
