"""Staging: each target is replaced by a stage, which records what would be written and writes nothing.

A stage begins as an image of the real target, read when a record is first touched and through a connector
that can only read. It enforces what the target itself would: see `Write.refuses`. Only an account of the
vendor's for trials is written to, where integration.yaml names one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from pydantic import JsonValue

from connectors.base import Account, Connector
from connectors.operation import Arguments, Delivery, Item, Lookup, Outcome, Write
from flows import connections
from flows.connections import Connections
from flows.ledger import staged
from flows.ledger.pair_links import STAGED
from flows.ledger.staged import Held
from flows.ledger.store import Ledger
from flows.tenants import Deployment, Target

NOTHING: Arguments = {}


def stages(deployment: Deployment, opened: Connections, ledger: Ledger) -> dict[str, Connector]:
    """A stage in the place of each target but an account for trials. The target itself is at most read.

    deployment: as it is in staging: see flows/instead.py, which looks whether such an account is one.
    """
    return {
        name: _stage(deployment, name, target, opened, ledger)
        for name, target in deployment.integration.targets.items()
    }


def _stage(
    deployment: Deployment, name: str, target: Target, opened: Connections, ledger: Ledger
) -> Connector:
    if target.staging and target.staging.sandbox:
        return connections.written_to(deployment, target, opened)
    system, tables = opened.system(target.connection), [table.table() for table in target.tables]
    if system.image is None:
        there = connections.making(deployment, target.connection, system)(
            system.nowhere, tables, target.options
        )
        return Stage(name, there, ledger, image=False)
    values, reads = partial(opened.values, target.connection), system.image
    reading = connections.made(
        opened.tenant, target.connection, lambda: reads(values(), tables, target.options)
    )
    return Stage(name, reading, ledger, image=True)


class Stage(Connector):
    """In the place of one target, in one run.

    Args:
        there: the target, through a connector from which only reads leave.
        image: whether it is reached at all; else the stage begins empty.
    """

    name: ClassVar[str] = "stage"

    def __init__(self, target: str, there: Connector, ledger: Ledger, *, image: bool) -> None:
        self.image = image
        self._target, self._there, self._ledger = target, there, ledger

    def check(self) -> Account:
        """The real account, by its own harmless read. What lacks to write is no matter here."""
        return self._there.check().model_copy(update={"missing": ()})

    def lookups(self) -> Mapping[str, Lookup]:
        """The target's own, each under what the stage has of that record."""
        writes = self._there.writes()
        return {short: self._looked(one, writes.get(one.of)) for short, one in self._there.lookups().items()}

    def writes(self) -> Mapping[str, Write]:
        """The target's own, each of which ends here."""
        return {short: self._staged(write) for short, write in self._there.writes().items()}

    def close(self) -> None:
        self._there.close()

    def _looked(self, lookup: Lookup, write: Write | None) -> Lookup:
        def answer(patient: str, arguments: Arguments) -> JsonValue:
            there = lookup.answer(patient, arguments) if self.image else None
            ours = write and staged.of_record(self._ledger, self._operation(write), write.record(patient, {}))
            if not ours or not ours.values or not (isinstance(there, dict) or ours.made):
                return there
            return {**there, **ours.values} if isinstance(there, dict) else dict(ours.values)

        return replace(lookup, answer=answer)

    def _operation(self, write: Write) -> str:
        return f"{self._target}_{write.name}"

    def _staged(self, write: Write) -> Write:
        asked = write if self.image else replace(write, present=None, refuses=None, look=None)
        here = _Staged(self._ledger, self._operation(write), asked)
        return replace(
            write,
            send=here.send,
            present=here.present if write.present or write.delivery is Delivery.UPSERT else None,
            look=here.look,
            horizon=0.0,
        )


class _Staged:
    """One write of a target, as it is in staging."""

    def __init__(self, ledger: Ledger, operation: str, write: Write) -> None:
        self._ledger, self._operation, self._write = ledger, operation, write

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the stage holds of the items' records, in the arguments that each sets."""
        held = self._held(items)
        return {item.key: _asked(held[self._record(item)].values, item) for item in items}

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Apply the items to the stage alone. What the target would refuse is refused."""
        refused = {one.key: one for one in (self._write.refuses(items) if self._write.refuses else ())}
        taken = [item for item in items if item.key not in refused]
        held = self._held(taken)
        written: dict[str, Held] = {}
        for item in taken:
            record = self._record(item)
            before = written.get(record, held[record])
            written[record] = replace(
                before,
                values={**(before.values or NOTHING), **item.arguments},
                made=before.made or before.values is None,
                delivery=item.key,
            )
        staged.keep(self._ledger, self._operation, list(written.values()))
        named = self._named([item for item in taken if not written[self._record(item)].made])
        made = {item.key: f"{STAGED}{self._record(item)}" for item in taken if self._write.look}
        references = made | {key: reference for key, reference in named.items() if reference}
        return [*refused.values(), *(Outcome(one.key, "done", "", references.get(one.key)) for one in taken)]

    def look(self, items: Sequence[Item]) -> dict[str, str | None]:
        """Which deliveries arrived here. Of an upsert, how the target names the record, where it has one."""
        there = staged.written_by(self._ledger, [item.key for item in items])
        arrived = {key: f"{STAGED}{one.record}" for key, one in there.items()}
        others = self._named([item for item in items if item.key not in there])
        return {item.key: arrived.get(item.key) or others.get(item.key) for item in items}

    def _named(self, items: Sequence[Item]) -> Mapping[str, str | None]:
        """What the target itself calls the record of an upsert, where it can say."""
        if not items or self._write.look is None or self._write.delivery is not Delivery.UPSERT:
            return {}
        return self._write.look(items)

    def _held(self, items: Sequence[Item]) -> dict[str, Held]:
        """The records of these items, by hash; what is asked for the first time is the target's own."""
        found = staged.find(self._ledger, [self._record(item) for item in items])
        new = [item for item in items if self._is_new(found.get(self._record(item)), item)]
        image = self._image(new)
        for item in new:
            record, theirs = self._record(item), image.get(item.key)
            before = found.get(record, Held(record, None))
            found[record] = replace(
                before, values=_over(theirs, before.values), asked=before.asked | item.arguments.keys()
            )
        return found

    def _is_new(self, known: Held | None, item: Item) -> bool:
        return known is None or known.lacks(item.arguments)

    def _image(self, items: Sequence[Item]) -> Mapping[str, Arguments | None]:
        """What the target itself holds of these; nothing, of a write that makes a record each time."""
        if not items or self._write.present is None:
            return {}
        return self._write.present(items)

    def _record(self, item: Item) -> str:
        """Of a write that makes a new record each time, each delivery has one of its own."""
        named = self._write.record(item.patient, item.arguments)
        if self._write.delivery is not Delivery.UPSERT:
            named = f"{named} {item.key}"
        return staged.hash_of(self._ledger, self._operation, named)


def _over(theirs: Arguments | None, ours: Arguments | None) -> Arguments | None:
    """What the target has of a record, under what the stage has of it."""
    return None if theirs is None and ours is None else {**(theirs or NOTHING), **(ours or NOTHING)}


def _asked(values: Arguments | None, item: Item) -> Arguments | None:
    return None if values is None else {name: values[name] for name in item.arguments if name in values}
