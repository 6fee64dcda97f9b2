"""What every connector keeps. What is not asked of one is written in its case, with the reason.

What it keeps when its system fails is in test_every_connector_under_faults.py.
"""

import random
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

import tests.test_every_connector_under_faults as under_faults
from connectors.address import IsEndpoint
from connectors.base import Connector, Settings
from connectors.entry import Category
from connectors.errors import ConnectorError
from connectors.operation import Asks, Delivery, Item, Write
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import ELSEWHERE, Proxy
from flows.systems import SYSTEMS
from tests.connectors import answers, nasty
from tests.connectors.addresses import REFUSED
from tests.connectors.asked import EVERY, case, pytest_generate_tests, samples, world
from tests.connectors.every import Case, Sample, World, write_of
from tests.connectors.promises import RECORDS, check_promise, items_of, loose_arguments, mine
from tests.connectors.settling import Settled, settled
from tests.faults import test_every_target

__all__ = ["case", "pytest_generate_tests", "samples", "world"]


def test_every_system_that_receives_has_a_case() -> None:
    assert {one.system for one in EVERY} >= {name for name, system in SYSTEMS.items() if system.target}


def test_every_exemption_names_a_test_and_gives_a_reason() -> None:
    modules = (sys.modules[__name__], under_faults, test_every_target)
    tests = {name for module in modules for name in vars(module) if name.startswith("test_")}
    for one in EVERY:
        for excused, reason in one.exempt.items():
            assert excused.partition("[")[0] in tests, f"{one.name}: {excused}"
            assert len(reason.split()) > 3, f"{one.name}: {excused}: say why"


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


def test_knowing_every_system_loads_no_sdk() -> None:
    """`ferry check` sends nothing: what is large is imported with the first request."""
    named = sorted({module for one in EVERY for module in one.sdk})
    code = f"import sys, flows.systems; print(*[name for name in {named!r} if name in sys.modules])"
    root = Path(__file__).parent.parent
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert {"boto3", "pymongo", "hubspot", "google.cloud.bigquery"} <= set(named)
    assert loaded.stdout.strip() == ""


def test_it_says_what_it_may_hold(case: Case) -> None:
    assert "holds" in vars(case.connector), "declare `holds`: the default is only for what is unknown"
    holds = case.connector.holds
    for category in Category:
        lack = holds.lack(category, ())
        assert (lack is None) == (category not in holds.forbidden and not holds.needed(category))
        assert holds.lack(category, holds.names) is None or category in holds.forbidden


def test_every_write_is_declared(case: Case, world: World) -> None:
    with closing(world.connect()) as connector:
        for name, write in connector.writes().items():
            assert name == write.name
            assert write.batch >= 1
            assert len(write.summary.split()) >= 6, f"{name}: say what it does"
            assert write.summary[0].isupper(), name
            assert write.summary.endswith("."), name
            assert loose_arguments(write, world.table) == [], f"{name}: arguments without a type"
            unread = case.excused("test_every_write_is_declared", name)
            assert write.delivery is not Delivery.UPSERT or write.present is not None or unread, name
            assert write.delivery not in (Delivery.KEYED, Delivery.SEARCHABLE) or write.look is not None, name


def test_what_leaves_is_counted(case: Case, world: World, samples: list[Sample]) -> None:
    """Each request, where the proxy sees them; and it is as many as the writes say that they ask."""
    exact = not case.excused("test_what_leaves_is_counted", "declared")
    for sample in samples:
        with closing(world.connect()) as connector:
            settled(write_of(connector, sample), items_of(sample))  # the table and its rows are made
        with closing(world.connect()) as connector:
            connector.check()
            write = write_of(connector, sample)
            presents = write.presents if write.present else Asks(0)
            for number, first in ((1, 1), (1, 0), (min(RECORDS, write.batch), 0)):
                read, sent = _asked(world, connector, write, items_of(sample, number))
                if exact:
                    assert read == presents.of(number) + presents.first * first, (sample.write, number)
                    assert sent == write.sends.of(number) + write.sends.first * first, (sample.write, number)
            assert (connector.requests > 0) == (write.sends.of(1) > 0), "does it count?"


def _asked(world: World, connector: Connector, write: Write, items: list[Item]) -> tuple[int, int]:
    """How many requests a read of these records took, and their delivery."""
    proxied, began = _proxied(world), connector.requests
    if write.present is not None:
        write.present(items)
    between = connector.requests
    assert all(outcome.state == "done" for outcome in write.send(items))
    if isinstance(world.proxy, Proxy):
        assert connector.requests - began == _proxied(world) - proxied
    return between - began, connector.requests - between


def _proxied(world: World) -> int:
    return world.proxy.number if isinstance(world.proxy, Proxy) else 0


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


def test_each_item_gets_its_own_answer(case: Case, world: World, samples: list[Sample]) -> None:
    """Of a batch whose answers come in another order, one of them not, or one twice and another not."""
    for sample in samples:
        with closing(world.connect()) as connector:
            write = write_of(connector, sample)
            settled(write, items_of(sample))
            for change, lost in ((answers.reordered, 0), (answers.missing, 1), (answers.merged, 1)):
                items = items_of(sample)
                with answers.changed(case, world, change):
                    told = {outcome.key: outcome for outcome in write.send(items)}
                done = [outcome for outcome in told.values() if outcome.state == "done"]
                named = [outcome.reference for outcome in done if outcome.reference is not None]

                assert told.keys() == {item.key for item in items}
                assert len(items) - len(done) == lost, f"{sample.write}: {change.__name__}: {told}"
                assert all(one.state == "unknown" for one in told.values() if one not in done)
                assert len(named) == len(set(named)), f"{sample.write}: one record's name for two items"
                kept = [item for item in items if told[item.key] in done]
                check_promise(world, sample, write, kept, Settled(told))


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
            found, records = settled(write, items), world.records(sample.write)

            for item, text in zip(items, asked, strict=True):
                outcome = found.outcomes[item.key]
                if outcome.state == "rejected":
                    assert outcome.code, repr(text)
                    assert mine(records, write, item) == [], repr(text)
                else:
                    assert outcome.state == "done", f"{text!r}: {outcome}"
                    assert len(mine(records, write, item)) == 1, repr(text)
            kept = [item for item in items if found.outcomes[item.key].state == "done"]
            assert len(kept) > len(items) / 2
            if write.present is not None:
                held = write.present(kept)
                for item in kept:
                    assert (held[item.key] or {}).get(sample.text) == item.arguments[sample.text]


def test_it_speaks_to_its_system_alone(
    world: World, samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No proxy and no login of the environment is used, and no redirect followed."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login nobody password wrong")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for sample in samples:
        items, astray = items_of(sample), items_of(sample)
        with closing(world.connect()) as connector:
            write = write_of(connector, sample)
            check_promise(world, sample, write, items, settled(write, items))
        if isinstance(world.proxy, Proxy):
            world.proxy.faults(Fault(trouble="307", times=None))
            with closing(world.connect()) as connector:
                with pytest.raises(ConnectorError):
                    connector.check()
                with suppress(ConnectorError):
                    told = write_of(connector, sample).send(astray)
                    assert not any(outcome.state == "done" for outcome in told)
            assert world.proxy.number > 0
            assert world.proxy.count(path=ELSEWHERE) == 0
            world.proxy.faults()


def test_what_was_written_is_read_back(world: World, samples: list[Sample]) -> None:
    with closing(world.connect()) as connector:
        for sample in samples:
            write, items = write_of(connector, sample), items_of(sample)
            settled(write, items)
            if write.present is not None:
                assert {key: dict(values or {}) for key, values in write.present(items).items()} == {
                    item.key: dict(item.arguments) for item in items
                }
