"""What is held against a world: the promise of a write's class, and that nothing is quoted."""

import itertools
import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import cast, get_args

import pytest
from pydantic import JsonValue, SecretStr

from connectors.errors import ConnectorError
from connectors.operation import Delivery, Item, Write, arguments_of
from connectors.sandbox.faults import Fault, Trouble
from connectors.sandbox.proxy import QUOTED, Proxy
from connectors.sandbox.wire import WIRE
from connectors.tabular import Table
from tests.campaign import FULL
from tests.connectors.every import MARK, Case, Held, Sample, World, write_of
from tests.connectors.settling import Settled, chain, settled, told

RECORDS = 7  # of one trial: three calls, the last of them not full
HANG = 3.0  # seconds: longer than a connector of a case waits
USUAL: frozenset[Trouble] = frozenset(
    (
        "401",
        "429",
        "500",
        "503_applied",
        "hang_applied",
        "reset",
        "reset_applied",
        "truncated",
        "html_applied",
    )
)
_versions = itertools.count(1)
_numbers: dict[tuple[str, int], tuple[World, int]] = {}  # of requests, while the world is the same


def items_of(sample: Sample, number: int = RECORDS) -> list[Item]:
    """Items of a version that was never sent before."""
    version = next(_versions)
    return [sample.item(record, version) for record in range(number)]


def troubles(case: Case) -> list[Fault]:
    """Every fault that the case's proxy can make, but what it is exempt from; by default a half of them."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    every = [Fault(trouble="429", retry_after=wait) for wait in ("1", soon, "soon")]
    every += [
        Fault(trouble=trouble, seconds=HANG) for trouble in cast(tuple[Trouble, ...], get_args(Trouble))
    ]
    able = [fault for fault in every if not case.wire or fault.trouble in WIRE]
    able = [fault for fault in able if fault.trouble != "307"]  # which is nobody's failure
    asked = [fault for fault in able if FULL or (fault.trouble in USUAL and fault.retry_after != soon)]
    return [fault for fault in asked if not case.excused("test_faults", fault.trouble)]


def positions(world: World, sample: Sample, *, every: bool = False) -> list[int]:
    """The first, the second and the last request of a delivery; with `every`, each of those of one call."""
    number = _requests(world, sample, 1 if every else 3)
    return list(range(1, number + 1)) if every else sorted({1, min(2, number), number})


def _requests(world: World, sample: Sample, calls: int) -> int:
    """How many requests an undisturbed delivery takes, from a new connector on. Counted once."""
    known = _numbers.get((sample.write, calls))
    if known and known[0] is world:
        return known[1]
    assert world.proxy is not None
    world.proxy.faults()
    with closing(world.connect()) as connector:
        settled(write_of(connector, sample), items_of(sample), calls=calls)
    number = world.proxy.number
    assert number > 0, "nothing went through the proxy"
    _numbers[sample.write, calls] = (world, number)
    return number


def mine(records: Sequence[Held], write: Write, item: Item) -> list[Held]:
    """The records that are of this item: of its patient, and with all that it set."""
    given = canonical(write, item)
    return [
        record
        for record in records
        if record["patient"] == item.patient and all(record.get(name) == given[name] for name in given)
    ]


def canonical(write: Write, item: Item) -> dict[str, JsonValue]:
    """The arguments as their types write them."""
    try:
        return arguments_of(write.arguments.model_validate(dict(item.arguments)))
    except ValueError:
        return dict(item.arguments)


def check_promise(world: World, sample: Sample, write: Write, items: Sequence[Item], found: Settled) -> None:
    """Each item that is done is there once; each that must be done is."""
    held = world.records(sample.write)
    for item in items:
        state = found.outcomes[item.key].state if item.key in found.outcomes else "done"
        theirs = [record for record in held if record["patient"] == item.patient]
        same = mine(theirs, write, item)
        if write.delivery is Delivery.BLIND and state == "unknown":
            assert len(same) <= 1, f"{write.name}: a blind one was doubled"
            continue
        assert state == "done", f"{write.name}: {found.outcomes[item.key]}"
        assert len(same) == 1, f"{write.name}: said to be done, and there {len(same)} times"
        assert write.delivery is not Delivery.UPSERT or len(theirs) == 1, f"{write.name}: doubled"


def check_told(world: World, case: Case, errors: Sequence[ConnectorError]) -> None:
    """No error quotes an answer, an argument or a secret; no request's line names a patient."""
    words = [*_unspoken(world, case), *(word.strip(",") for word in QUOTED.split() if len(word) > 5)]
    for error in errors:
        assert "\n" not in str(error)
        assert str(error).startswith(f"{case.system}: "), "an error names its system first"
        foreign = [type(one).__name__ for one in chain(error) if not _is_ours(one)]
        assert not foreign, f"{error.code} carries {foreign}, which may hold a request or an answer"
        text = told(error)
        assert not any(word in text for word in words), f"{type(error).__name__} {error.code} quotes"
    if isinstance(world.proxy, Proxy):
        assert not any(MARK in one.path for one in world.proxy.seen), "a request's line names a patient"


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.startswith("connectors.")


def check_logged(world: World, case: Case, logged: pytest.LogCaptureFixture) -> None:
    """No record quotes an argument or a secret."""
    words, form = _unspoken(world, case), logging.Formatter("%(name)s: %(message)s")
    told = [form.format(record) for record in logged.records]
    loud = {one.partition(":")[0] for one in told if any(word in one for word in words)}
    assert loud == set(), "these loggers quote: see flows/boundary.py"


def _unspoken(world: World, case: Case) -> list[str]:
    made = case.credentials.model_validate(dict(world.values))
    secrets = [value.get_secret_value() for _, value in made if isinstance(value, SecretStr)]
    roles = [value for name, value in made if name.endswith("role") and isinstance(value, str)]
    return [MARK, *filter(None, secrets), *roles]


def loose_arguments(write: Write, table: Table | None) -> list[str]:
    """The arguments that take any object at all, but a table's own JSON columns."""
    declared = {name for name, column in table.columns.items() if column.type == "json"} if table else set()
    schema = write.arguments.model_json_schema()
    properties = schema.get("properties", {})
    parts = [(f"${name}", shape) for name, shape in schema.get("$defs", {}).items()]
    return [
        name for name, shape in (*properties.items(), *parts) if name not in declared and _is_loose(shape)
    ]


def _is_loose(shape: dict[str, object]) -> bool:
    if "anyOf" in shape:
        return any(_is_loose(one) for one in cast(list[dict[str, object]], shape["anyOf"]))
    if shape.get("type") == "array":
        return _is_loose(cast(dict[str, object], shape.get("items", {})))
    if shape.get("type") == "object":
        inner = cast(dict[str, dict[str, object]], shape.get("properties", {}))
        return not inner or any(_is_loose(one) for one in inner.values())
    return not {"type", "enum", "const", "$ref", "allOf"} & shape.keys()
