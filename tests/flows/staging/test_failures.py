"""What a stage holds after a target that fails while it is read: what it said had arrived, and no more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized
from connectors.operation import ArgumentModel, Arguments, Claim, Delivery, Item, Need, Outcome, Write
from flows.ledger.store import Ledger
from flows.staged_write import Counted, StagedWrite
from tests.flows.ledgers import held

T = TypeVar("T")
BEFORE: Arguments = {"name": "BEFORE", "mail": "b@x"}


class Person(ArgumentModel):
    name: str | None = None
    mail: str | None = None


class Target:
    """A target that fails at the calls it is told to, counted from 1: {"look": {1: Transient(…)}}."""

    def __init__(self, fails: Mapping[str, Mapping[int, Exception]]) -> None:
        self._fails = fails
        self._calls: dict[str, int] = {}

    def write(self) -> Write:
        return Write(
            "upsert_people",
            "",
            Person,
            Delivery.UPSERT,
            send=lambda _: [],
            record=lambda patient, _: patient,
            present=lambda items: self._said("present", {item.key: BEFORE for item in items}),
            look=lambda items: self._said("look", {item.key: "theirs" for item in items}),
            refuses=lambda items: self._said("refuses", self._nothing(items)),
            rules=lambda items: self._said("rules", self._none(items)),
            room=lambda: self._said("room", 9),
        )

    def _said(self, what: str, answer: T) -> T:
        self._calls[what] = self._calls.get(what, 0) + 1
        if error := self._fails.get(what, {}).get(self._calls[what]):
            raise error
        return answer

    def _nothing(self, items: Sequence[Item]) -> Sequence[Outcome]:
        return ()

    def _none(self, items: Sequence[Item]) -> Sequence[Outcome | Claim | Need]:
        return ()


Staged = Callable[[Mapping[str, Mapping[int, Exception]]], StagedWrite]


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[Staged]:
    ledger: Ledger = held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)
    yield lambda fails: StagedWrite(ledger, "t", Target(fails).write(), Counted(lambda: 0))
    ledger.close()


LATE = Transient("rate_limited", "late")


@pytest.mark.parametrize("read", ["refuses", "rules", "look"])
def test_nothing_is_kept_of_a_batch_that_could_not_be_read_to_its_end(staged: Staged, read: str) -> None:
    item = Item("k", "p", {"name": "AFTER"})
    write = staged({read: {1: LATE}})
    assert write.present([item]) == {"k": {"name": "BEFORE"}}

    with pytest.raises(Transient):
        write.send([item])

    assert write.present([item]) == {"k": {"name": "BEFORE"}}
    assert [(one.state, one.reference) for one in write.send([item])] == [("done", "theirs")]
    assert write.present([item]) == {"k": {"name": "AFTER"}}


@pytest.mark.parametrize("error", [LATE, Unauthorized("unauthorized", "no"), Rejected("missing", "gone")])
@pytest.mark.parametrize("read", ["refuses", "rules", "look"])
def test_what_arrived_stays_so_if_a_later_write_of_the_same_record_could_not_be_read(
    staged: Staged, read: str, error: ConnectorError
) -> None:
    batch = [
        Item("first", "p", {"name": "ONE"}),
        Item("second", "p", {"name": "TWO"}),
        Item("third", "p", {"name": "THREE"}),
        Item("other", "q", {"name": "ELSE"}),
    ]
    write = staged({read: {2: error}})

    ended = {one.key: (one.state, one.code) for one in write.send(batch)}

    again = ("transient", error.code)
    assert ended == {"first": ("done", ""), "other": ("done", ""), "second": again, "third": again}
    assert write.present(batch[1:3]) == {"second": {"name": "ONE"}, "third": {"name": "ONE"}}
    assert {one.state for one in write.send(batch[1:3])} == {"done"}
    assert write.present(batch[:1]) == {"first": {"name": "THREE"}}
