"""What every connector keeps. What is not asked of one is written in its case, with the reason."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from connectors.address import IsEndpoint
from connectors.base import Settings
from connectors.entry import Category
from connectors.errors import Transient, Unauthorized
from connectors.operation import Delivery, Item
from connectors.sandbox.faults import Fault
from flows.systems import SYSTEMS
from tests.connectors import nasty
from tests.connectors.addresses import REFUSED
from tests.connectors.every import Case, Sample, World, cases, write_of
from tests.connectors.promises import (
    check_promise,
    check_told,
    items_of,
    loose_arguments,
    mine,
    positions,
    troubles,
)
from tests.connectors.settling import settled

DAY = 86_400.0  # seconds
EVERY = cases()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case that is not exempt; where faults are asked for, every fault that its proxy can make."""
    test = metafunc.function.__name__
    asked = [case for case in EVERY if not case.excused(test)]
    if "fault" in metafunc.fixturenames:
        pairs = [(case, fault) for case in asked for fault in troubles(case)]
        ids = [f"{case.name}-{fault.trouble}{fault.retry_after[:3]}" for case, fault in pairs]
        metafunc.parametrize(("case", "fault"), pairs, ids=ids, indirect=["case"], scope="module")
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", asked, ids=[case.name for case in asked], indirect=True, scope="module")


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    found = request.param
    assert isinstance(found, Case)
    return found


@pytest.fixture(scope="module")
def world(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The case's world, which the tests share: each takes versions of its own."""
    with case.opened(tmp_path_factory.mktemp(case.name)) as opened:
        yield opened


@pytest.fixture
def samples(case: Case, world: World) -> Iterator[list[Sample]]:
    yield list(world.samples)
    if world.proxy:
        world.proxy.faults()


def test_every_system_that_receives_has_a_case() -> None:
    assert {case.system for case in EVERY} >= {name for name, system in SYSTEMS.items() if system.target}


def test_every_exemption_names_a_test_and_gives_a_reason() -> None:
    tests = {name for name in globals() if name.startswith("test_")}
    for case in EVERY:
        for excused, reason in case.exempt.items():
            assert excused.partition("[")[0] in tests, f"{case.name}: {excused}"
            assert len(reason.split()) > 3, f"{case.name}: {excused}: say why"


def test_the_account_is_named_without_a_secret(case: Case, world: World) -> None:
    with closing(world.connect()) as connector:
        account = connector.check()

    made = case.credentials.model_validate(dict(world.values))
    secrets = [value.get_secret_value() for _, value in made if isinstance(value, SecretStr)]
    assert account.system == case.system
    assert account.identity
    assert not any(secret in account.model_dump_json() for secret in secrets if secret)


def test_the_credentials_are_closed_and_do_not_show(case: Case, world: World) -> None:
    made = case.credentials.model_validate(dict(world.values))

    assert issubclass(case.credentials, Settings)
    with pytest.raises(ValidationError):
        case.credentials.model_validate({**world.values, "unknown": "x"})
    for _, value in made:
        if isinstance(value, SecretStr):
            assert value.get_secret_value() not in repr(made)


def test_an_endpoint_is_public(case: Case, world: World) -> None:
    fields = case.credentials.model_fields
    named = [name for name in fields if any(isinstance(one, IsEndpoint) for one in fields[name].metadata)]

    assert named, "no field of the credentials is an Endpoint"
    for name in named:
        for url in REFUSED:
            with pytest.raises(ValidationError) as error:
                case.credentials.model_validate({**world.values, name: url})
            assert len(url) < 9 or url not in str(error.value)


def test_the_row_of_its_system_makes_it(case: Case, world: World) -> None:
    make = SYSTEMS[case.system].target

    assert make is not None
    tables = [world.table] if world.table else []
    with closing(make(world.values, tables, world.options)) as connector:
        assert isinstance(connector, case.connector)
        assert {sample.write for sample in world.samples} <= set(connector.writes())


def test_importing_it_loads_no_sdk(case: Case) -> None:
    code = (
        f"import sys, {case.connector.__module__} as _; print(*[m for m in {case.sdk!r} if m in sys.modules])"
    )
    root = Path(__file__).parent.parent
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == ""


def test_it_says_what_it_may_hold(case: Case) -> None:
    assert "holds" in vars(case.connector), "declare `holds`: the default is only for what is unknown"
    holds = case.connector.holds
    for category in Category:
        lack = holds.lack(category, ())
        assert (lack is None) == (category not in holds.forbidden and not holds.needed(category))
        assert holds.lack(category, holds.names) is None or category in holds.forbidden


def test_every_write_is_declared_well_enough_to_be_chosen_and_delivered(case: Case, world: World) -> None:
    with closing(world.connect()) as connector:
        for name, write in connector.writes().items():
            assert name == write.name
            assert write.batch >= 1
            assert len(write.summary.split()) >= 6, f"{name}: say what it does"
            assert write.summary[0].isupper(), name
            assert write.summary.endswith("."), name
            assert loose_arguments(write, world.table) == [], f"{name}: arguments without a type"
            assert write.delivery is not Delivery.UPSERT or write.present is not None, name
            assert write.delivery not in (Delivery.KEYED, Delivery.SEARCHABLE) or write.look is not None, name


def test_a_record_has_one_name(world: World, samples: list[Sample]) -> None:
    with closing(world.connect()) as connector:
        for sample in samples:
            write = write_of(connector, sample)
            first, newer, other = (sample.item(*place) for place in ((0, 0), (0, 1), (1, 0)))

            named = [write.record(item.patient, item.arguments) for item in (first, newer, other)]
            assert named[0] != named[2]
            if write.delivery is Delivery.UPSERT:
                assert named[0] == named[1]


def test_a_batch_in_any_order_is_answered_by_key(world: World, samples: list[Sample]) -> None:
    with closing(world.connect()) as connector:
        for sample in samples:
            write, items = write_of(connector, sample), items_of(sample)
            random.Random(7).shuffle(items)

            check_promise(world, sample, write, items, settled(write, items, calls=1))


def test_two_versions_in_one_batch_leave_the_newer(world: World, samples: list[Sample]) -> None:
    with closing(world.connect()) as connector:
        for sample in samples:
            write = write_of(connector, sample)
            if write.delivery is not Delivery.UPSERT or write.batch < 4:
                continue
            older, newer = items_of(sample)[:2], items_of(sample)[:2]
            found = settled(write, [*older, *newer], calls=1)

            assert found.of("done") == {item.key for item in (*older, *newer)}
            check_promise(world, sample, write, newer, settled(write, []))


def test_what_is_refused_leaves_its_siblings_alone(world: World, samples: list[Sample]) -> None:
    with closing(world.connect()) as connector:
        for sample in samples:
            write, items = write_of(connector, sample), items_of(sample)
            if not sample.text:
                continue
            bad = Item("bad", items[3].patient, {**items[3].arguments, sample.text: "nul\0"})
            found = settled(write, [*items[:3], bad, *items[4:]], calls=1)

            assert found.outcomes["bad"].state == "rejected"
            assert found.outcomes["bad"].code
            check_promise(world, sample, write, [*items[:3], *items[4:]], found)


def test_nasty_values(case: Case, world: World, samples: list[Sample]) -> None:
    """Each is stored exactly or refused with a code, and read back as it is stored."""
    texts = [*nasty.TEXTS, *nasty.UNSTORABLE, *nasty.LONG, None]
    asked = [text for text in texts if not case.excused("test_nasty_values", repr(text)[:20])]
    with closing(world.connect()) as connector:
        for sample in (one for one in samples if one.text):
            write, made = write_of(connector, sample), items_of(sample, len(asked))
            pairs = zip(made, asked, strict=True)
            items = [Item(one.key, one.patient, {**one.arguments, sample.text: text}) for one, text in pairs]
            found = settled(write, items)

            for item, text in zip(items, asked, strict=True):
                outcome = found.outcomes[item.key]
                if outcome.state == "rejected":
                    assert outcome.code, repr(text)
                    assert mine(world, sample, write, item) == [], repr(text)
                else:
                    assert outcome.state == "done", f"{text!r}: {outcome}"
                    assert len(mine(world, sample, write, item)) == 1, repr(text)
            kept = [item for item in items if found.outcomes[item.key].state == "done"]
            assert len(kept) > len(items) / 2
            if write.present is not None:
                held = write.present(kept)
                for item in kept:
                    assert (held[item.key] or {}).get(sample.text) == item.arguments[sample.text]


def test_what_was_written_is_read_back(world: World, samples: list[Sample]) -> None:
    with closing(world.connect()) as connector:
        for sample in samples:
            write, items = write_of(connector, sample), items_of(sample)
            settled(write, items)
            if write.present is not None:
                assert {key: dict(values or {}) for key, values in write.present(items).items()} == {
                    item.key: dict(item.arguments) for item in items
                }


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
        with case.opened(tmp_path / wait[:3]) as world, closing(world.connect()) as connector:
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


def test_a_schema_that_changes_in_the_middle(case: Case, tmp_path: Path) -> None:
    """Somebody takes a column away: what is said to be done is there, what is not has a code."""
    with case.opened(tmp_path) as world:
        assert world.alter is not None
        sample = next(one for one in world.samples if one.text)
        with closing(world.connect()) as old, closing(world.connect()) as new:
            settled(write_of(old, sample), items_of(sample, 3))
            world.alter()
            for connector in (old, new):
                write, items = write_of(connector, sample), items_of(sample, 3)
                found = settled(write, items)

                for item in items:
                    outcome = found.outcomes[item.key]
                    assert outcome.state == "done" or outcome.code
                    assert outcome.state != "done" or len(mine(world, sample, write, item)) == 1
