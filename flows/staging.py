"""Staging: each target is replaced by a stage, which records what would be written and writes nothing.

A stage begins as an image of the real target, read when a record is first touched and through a connector
that can only read. It enforces what the target itself would: see `Write.refuses` and `Write.rules`. Only an
account of the vendor's for trials is written to, where integration.yaml names one.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pydantic import JsonValue

from connectors.base import Account, Connector
from connectors.operation import Arguments, Asks, Delivery, Lookup, Write
from flows import connections
from flows.connections import Connections
from flows.ledger import staged
from flows.ledger.staged import Held
from flows.ledger.store import Ledger
from flows.staged_write import Counted, StagedWrite, operation_of
from flows.tenants import Deployment, Target


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
        return connections.as_target(deployment, target, opened)
    return Stage(name, connections.as_target(deployment, target, opened, read_only=True), ledger)


class Stage(Connector):
    """In the place of one target, in one run.

    Args:
        there: the target, through a connector from which only reads leave.
    """

    name: ClassVar[str] = "stage"

    def __init__(self, target: str, there: Connector, ledger: Ledger) -> None:
        self._target, self._there, self._ledger = target, there, ledger
        self._counted = Counted(lambda: there.requests)

    def check(self) -> Account:
        """The real account, by its own harmless read. What lacks to write is no matter here."""
        return self._there.check().model_copy(update={"missing": ()})

    def is_same(self, one: Account, other: Account) -> bool:
        return self._there.is_same(one, other)

    def lookups(self) -> Mapping[str, Lookup]:
        """The target's own, each under what the stage has of that record."""
        writes = self._there.writes()
        return {short: self._looked(one, writes.get(one.of)) for short, one in self._there.lookups().items()}

    @property
    def requests(self) -> int:
        """How many would have left, were it the target: what decides is asked, what is written would be."""
        return self._there.requests - self._counted.image + self._counted.live

    @property
    def left(self) -> int:
        """How many have left: reads alone."""
        return self._there.requests

    def writes(self) -> Mapping[str, Write]:
        """The target's own, each of which ends here."""
        return {short: self._staged(write) for short, write in self._there.writes().items()}

    def close(self) -> None:
        self._there.close()

    def _looked(self, lookup: Lookup, write: Write | None) -> Lookup:
        def answer(patient: str, arguments: Arguments) -> JsonValue:
            there = lookup.answer(patient, arguments)
            ours = write and self._held(write, patient)
            if not ours or not ours.values or not (isinstance(there, dict) or ours.made):
                return there
            return {**there, **ours.values} if isinstance(there, dict) else dict(ours.values)

        return replace(lookup, answer=answer)

    def _held(self, write: Write, patient: str) -> Held | None:
        return staged.of_record(self._ledger, operation_of(self._target, write), write.record(patient, {}))

    def _staged(self, write: Write) -> Write:
        live = write if write.present else replace(write, presents=Asks(0))
        here = StagedWrite(self._ledger, self._target, live, self._counted)
        return replace(
            write,
            send=here.send,
            present=here.present if write.present or write.delivery is Delivery.UPSERT else None,
            look=here.look,
            horizon=0.0,
        )
