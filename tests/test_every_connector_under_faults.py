"""What every connector keeps when its system fails: the promise of each write's class, whatever is lost."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from connectors.base import Connector
from connectors.errors import ConnectorError, Transient, Unauthorized, Unknown
from connectors.http import Patience
from connectors.operation import Item
from connectors.sandbox.faults import Fault, Trouble
from connectors.sandbox.proxy import Proxy
from tests.campaign import FULL
from tests.connectors.asked import case, loudest, pytest_generate_tests, samples, world
from tests.connectors.every import MARK, Case, Sample, World, write_of
from tests.connectors.promises import check_logged, check_promise, check_told, items_of, mine, positions
from tests.connectors.settling import settled

__all__ = ["case", "loudest", "pytest_generate_tests", "samples", "world"]
DAY = 86_400.0  # seconds
ATTEMPTS = Patience().attempts  # of one request, by the connector itself
USUAL: tuple[Trouble, ...] = ("401", "429", "503", "truncated", "html")
READING: tuple[Trouble, ...] = (*USUAL, "reset", "half") if FULL else USUAL
CUT: tuple[Trouble, ...] = ("reset", "reset_applied")


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


def test_a_read_that_fails_says_nothing(case: Case, world: World, samples: list[Sample]) -> None:
    """It tells what is there, or raises what time or the tenant puts right: never "there is none"."""
    assert world.proxy is not None
    for sample in samples:
        items = items_of(sample, 3)
        with closing(world.connect()) as connector:
            settled(write_of(connector, sample), items)
            names = list(_reads(connector, sample, items))
        for name in names:
            world.proxy.faults()
            truth, number = _read(world, sample, items, name), world.proxy.number
            for trouble in (CUT if case.wire else READING) if number else ():
                for at in {1, number} if FULL else {number}:
                    world.proxy.faults(Fault(trouble=trouble, request=at, times=None, retry_after="0"))
                    try:
                        told = _read(world, sample, items, name)
                    except (Transient, Unknown, Unauthorized) as error:
                        check_told(world, case, [error])
                    else:
                        assert told == truth or (name, trouble) == ("check", "401"), (
                            f"{name}: {trouble} at {at}"
                        )


def _reads(connector: Connector, sample: Sample, items: list[Item]) -> Mapping[str, Callable[[], object]]:
    write = write_of(connector, sample)
    acts = {"present": write.present, "look": write.look}
    found = {name: partial(act, items) for name, act in acts.items() if act is not None}
    return {"check": connector.check, **found}


def _read(world: World, sample: Sample, items: list[Item], name: str) -> object:
    with closing(world.connect()) as connector:
        return _reads(connector, sample, items)[name]()


def test_a_request_is_repeated_a_few_times_at_most(case: Case, world: World, samples: list[Sample]) -> None:
    """The connector repeats it, and nobody else: an SDK's own retries would multiply."""
    assert world.proxy is not None
    for sample in samples:
        for trouble in ("reset",) if case.wire else ("503", "429", "reset"):
            for last in (False, True):
                at = _sent(world, sample) if last else 1
                world.proxy.faults(Fault(trouble=trouble, request=at, times=None, retry_after="0"))

                most = _sent(world, sample) - at + 1
                if isinstance(world.proxy, Proxy):  # what is another request is no repetition
                    met = Counter((one.method, one.path) for one in world.proxy.seen if one.trouble)
                    most = max(met.values(), default=0)
                assert most <= ATTEMPTS, f"{trouble} at {at}"
            world.proxy.faults()


def _sent(world: World, sample: Sample) -> int:
    """How many requests one batch of a new connector took, whatever came of it."""
    assert world.proxy is not None
    before = world.proxy.number
    with closing(world.connect()) as connector, suppress(ConnectorError):
        write_of(connector, sample).send(items_of(sample))
    return world.proxy.number - before


def test_an_absurd_wait_is_kept_by_all(case: Case, tmp_path: Path) -> None:
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
            asked = world.proxy.number
            with closing(world.connect()) as other, pytest.raises(Transient):  # one limiter for the account
                write_of(other, sample).send(items_of(sample)[:1])
            assert world.proxy.number == asked


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
