"""What every connector keeps when its system fails: the promise of each write's class, whatever is lost."""

import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from connectors.errors import ConnectorError, Transient, Unauthorized
from connectors.operation import Item
from connectors.sandbox.faults import Fault
from tests.connectors.asked import case, loudest, pytest_generate_tests, samples, world
from tests.connectors.every import MARK, Case, Sample, World, write_of
from tests.connectors.promises import check_logged, check_promise, check_told, items_of, mine, positions
from tests.connectors.settling import settled

__all__ = ["case", "loudest", "pytest_generate_tests", "samples", "world"]
DAY = 86_400.0  # seconds


def test_every_lost_answer(world: World, samples: list[Sample]) -> None:
    """Applied, the answer lost, sent again or looked for: it is there once."""
    assert world.proxy is not None
    for sample in samples:
        for at in positions(world, sample, every=True):
            world.proxy.faults(Fault(trouble="reset_applied", request=at))
            with closing(world.connect()) as connector:
                write, items = write_of(connector, sample), items_of(sample)
                found = settled(write, items, calls=1)
                world.proxy.faults()

                check_promise(world, sample, write, items, found)


def test_faults(case: Case, world: World, samples: list[Sample], fault: Fault) -> None:
    """At the first, the second and the last call: what the class promises, nothing quoted, siblings done."""
    assert world.proxy is not None
    for sample in samples:
        for at in positions(world, sample):
            world.proxy.faults(fault.model_copy(update={"request": at}))
            with closing(world.connect()) as connector:
                write, items = write_of(connector, sample), items_of(sample)
                found = settled(write, items)
                check_told(world, case, found.errors)
                world.proxy.faults()
                rest = [item for item in items if found.outcomes.get(item.key, None) is None]
                rest += [item for item in items if item.key in found.of("transient")]
                found.outcomes |= settled(write, rest).outcomes

                check_promise(world, sample, write, items, found)


def test_what_fails_is_not_logged(
    case: Case, world: World, samples: list[Sample], loudest: pytest.LogCaptureFixture
) -> None:
    """However loud everybody is, and before any fence: no value, no secret."""
    for sample in samples:
        for trouble in ("reset", "reset_applied") if case.wire else ("reset", "500", "html_applied"):
            if world.proxy is not None:
                world.proxy.faults(Fault(trouble=trouble, request=2))
            with closing(world.connect()) as connector:
                write, items = write_of(connector, sample), items_of(sample)
                settled(write, items, calls=1)
                if sample.text:
                    bad = {**items[0].arguments, sample.text: f"{MARK} nul\0"}
                    settled(write, [Item("bad", items[0].patient, bad)], calls=1)
                if write.present is not None:
                    with suppress(ConnectorError):
                        write.present(items)

    check_logged(world, case, loudest)


def test_retries_are_bounded(case: Case, world: World, samples: list[Sample]) -> None:
    assert world.proxy is not None
    for sample in samples:
        usual = len(positions(world, sample, every=True))
        for trouble in ("reset",) if case.wire else ("503", "429", "reset"):
            world.proxy.faults(Fault(trouble=trouble, times=None, retry_after="0"))
            with closing(world.connect()) as connector:
                settled(write_of(connector, sample), items_of(sample), calls=1, rounds=1)

            assert world.proxy.number <= 5 * usual + 5
            world.proxy.faults()


def test_an_absurd_wait_is_not_waited_for(case: Case, tmp_path: Path) -> None:
    for wait in ("99999999999", "Fri, 31 Dec 2999 23:59:59 GMT"):
        place = tmp_path / wait[:3]
        place.mkdir()
        with case.opened(place) as world, closing(world.connect()) as connector:
            assert world.proxy is not None
            sample = world.samples[0]
            world.proxy.faults(Fault(trouble="429", times=None, retry_after=wait))
            began = time.monotonic()
            with pytest.raises(Transient) as error:
                write_of(connector, sample).send(items_of(sample)[:1])

            assert time.monotonic() - began < 10
            assert error.value.wait is not None
            assert error.value.wait.total_seconds() <= DAY


def test_a_revoked_token(case: Case, world: World, samples: list[Sample]) -> None:
    """From the second call on: what is not done can be sent later, and the tenant is told to act."""
    assert world.proxy is not None
    for sample in samples:
        with closing(world.connect()) as connector:
            write, items = write_of(connector, sample), items_of(sample)
            settled(write, items[:1])
            world.proxy.faults(Fault(trouble="401", times=None))
            with pytest.raises(Unauthorized) as refused:
                write.send(items[1:3])
            with pytest.raises(Unauthorized):
                connector.check()
            check_told(world, case, [refused.value])
            world.proxy.faults()
        with closing(world.connect()) as connector:
            write = write_of(connector, sample)
            check_promise(world, sample, write, items, settled(write, items[1:]))


def test_a_schema_that_changes_in_the_middle(
    case: Case, tmp_path: Path, loudest: pytest.LogCaptureFixture
) -> None:
    """Somebody takes a column away: what is said to be done is there, what is not has a code."""
    with case.opened(tmp_path) as world:
        assert world.alter is not None
        sample = next(one for one in world.samples if one.text)
        with closing(world.connect()) as old, closing(world.connect()) as new:
            settled(write_of(old, sample), items_of(sample, 3))
            world.alter()
            for connector in (old, new):
                write, items = write_of(connector, sample), items_of(sample, 3)
                found, records = settled(write, items), world.records(sample.write)

                for item in items:
                    outcome = found.outcomes[item.key]
                    assert outcome.state == "done" or outcome.code
                    assert outcome.state != "done" or len(mine(records, write, item)) == 1
        check_logged(world, case, loudest)
