"""One write of a target, as it is in staging: it sees what the stage holds, and changes that alone."""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from connectors.errors import ConnectorError
from connectors.operation import Arguments, Asks, Claim, Delivery, Item, Need, Outcome, Write
from flows.ledger import staged
from flows.ledger.claimed import Claimed
from flows.ledger.pair_links import STAGED
from flows.ledger.staged import Held
from flows.ledger.store import Ledger

NOTHING: Arguments = {}


class Counted:
    """What a target is asked for its image, and what it would be asked for the stage's writes."""

    def __init__(self, left: Callable[[], int]) -> None:
        self._left = left
        self._asked: set[str] = set()
        self.image = self.live = 0

    def asks(self, what: str, asks: Asks, number: int) -> None:
        """The target would be asked this, of so many items."""
        self.live += asks.of(number) + (0 if what in self._asked else asks.first)
        self._asked.add(what)

    @contextmanager
    def reading(self) -> Generator[None]:
        """What leaves meanwhile is for the image."""
        before = self._left()
        try:
            yield
        finally:
            self.image += self._left() - before


class StagedWrite:
    """What is sent here is written to the stage.

    Args:
        write: the target's own, of which only what reads is used.
    """

    def __init__(self, ledger: Ledger, target: str, write: Write, counted: Counted) -> None:
        self._ledger, self._target, self._write, self._counted = ledger, target, write, counted
        self._operation = operation_of(target, write)
        self._seen: dict[str, Held] = {}  # the records of the last batch: it is shown first, and then sent

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the stage holds of the items' records, in the arguments that each sets."""
        self._counted.asks(f"present {self._operation}", self._write.presents, len(items))
        held = self._held(items)
        return {item.key: _asked(held[self._record(item)].values, item) for item in items}

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Apply the items to the stage alone. What the target would refuse is refused.

        What the target could not be read for is not applied: the whole batch, by the error; or, once an
        earlier item of the batch was, those of the same records after it, as their outcome.
        """
        self._counted.asks(f"send {self._operation}", self._write.sends, len(items))
        outcomes: list[Outcome] = []
        failed = ""
        for part in self._apart(items):
            try:
                outcomes += [] if failed else self._applied(part)
            except ConnectorError as error:
                if not outcomes:
                    raise
                failed = error.code
            outcomes += [Outcome(item.key, "transient", failed) for item in part if failed]
        return outcomes

    def look(self, items: Sequence[Item]) -> dict[str, str | None]:
        """Which deliveries arrived here. Of an upsert, how the target names the record, where it has one."""
        self._counted.asks("", Asks(), len(items))
        there = staged.written_by(self._ledger, [item.key for item in items])
        arrived = {key: f"{STAGED}{one.record}" for key, one in there.items()}
        others = self._named([item for item in items if item.key not in there])
        return {item.key: arrived.get(item.key) or others.get(item.key) for item in items}

    def _apart(self, items: Sequence[Item]) -> list[list[Item]]:
        """In parts, in none of which a record is met twice."""
        parts: list[list[Item]] = []
        met = Counter[str]()
        for item in items:
            record = self._record(item)
            parts += [[]] if met[record] == len(parts) else []
            parts[met[record]].append(item)
            met[record] += 1
        return parts

    def _applied(self, items: Sequence[Item]) -> list[Outcome]:
        refused = {one.key: one for one in self._refused(items)}
        taken = [item for item in items if item.key not in refused]
        held = self._held(taken)
        refused |= self._without_room(taken, held)
        taken = [item for item in taken if item.key not in refused]
        told = self._rules([_whole(held[self._record(item)], item) for item in taken])
        refused |= {one.key: one for one in reversed(told) if isinstance(one, Outcome)}  # the first counts
        beside = [one for one in told if isinstance(one, Claim | Need)]
        claimed = Claimed(self._ledger, self._target, self._write.name, beside)
        written: list[Held] = []
        for item in taken:
            before = held[self._record(item)]
            if item.key not in refused and (code := claimed.refusal(item.key, before.record)):
                refused[item.key] = Outcome(item.key, "rejected", code)
            if item.key not in refused:
                written.append(claimed.taken(item.key, _written(before, item)))
        done = self._done([item for item in taken if item.key not in refused], written)
        staged.keep(self._ledger, self._operation, [*written, *claimed.rows()])  # nothing is read after it
        return [*refused.values(), *done]

    def _done(self, items: Sequence[Item], written: Sequence[Held]) -> list[Outcome]:
        """Each as it arrived, with the name of its record: the target's own, or the stage's if it made it."""
        named = self._named([item for item, one in zip(items, written, strict=True) if not one.made])
        made = {one.delivery: f"{STAGED}{one.record}" for one in written if self._write.look}
        names = made | {key: reference for key, reference in named.items() if reference}
        return [Outcome(item.key, "done", "", names.get(item.key)) for item in items]

    def _named(self, items: Sequence[Item]) -> Mapping[str, str | None]:
        """What the target itself calls the record of an upsert, where it can say."""
        if not items or self._write.look is None or self._write.delivery is not Delivery.UPSERT:
            return {}
        with self._counted.reading():
            return self._write.look(items)

    def _refused(self, items: Sequence[Item]) -> Sequence[Outcome]:
        """Those that the target would refuse, as it says without being written to."""
        if self._write.refuses is None:
            return ()
        with self._counted.reading():
            return self._write.refuses(items)

    def _rules(self, items: Sequence[Item]) -> Sequence[Outcome | Claim | Need]:
        """The same, of what other records decide and what the stage wrote before."""
        if self._write.rules is None or not items:
            return ()
        with self._counted.reading():
            return self._write.rules(items)

    def _without_room(self, items: Sequence[Item], held: Mapping[str, Held]) -> dict[str, Outcome]:
        """The items whose new records the target has no room for, beside those that the stage made before."""
        new = [item for item in items if held[self._record(item)].values is None]
        if self._write.room is None or not new:
            return {}
        with self._counted.reading():
            room = self._write.room() - staged.made(self._ledger, self._operation)
        return {item.key: Outcome(item.key, "rejected", "sheet_full") for item in new[max(room, 0) :]}

    def _held(self, items: Sequence[Item]) -> dict[str, Held]:
        """The records of these items, by hash; what is asked for the first time is the target's own."""
        found = self._seen | staged.find(self._ledger, [self._record(item) for item in items])
        new = [item for item in items if self._is_new(found.get(self._record(item)), item)]
        image = self._image(new)
        for item in new:
            record, theirs = self._record(item), image.get(item.key)
            before = found.get(record, Held(record, None))
            found[record] = replace(
                before, values=_over(theirs, before.values), asked=before.asked | item.arguments.keys()
            )
        self._seen = {record: found[record] for record in map(self._record, items)}
        return found

    def _is_new(self, known: Held | None, item: Item) -> bool:
        return known is None or known.lacks(item.arguments)

    def _image(self, items: Sequence[Item]) -> Mapping[str, Arguments | None]:
        """What the target itself holds of these; nothing, of a write that makes a record each time."""
        if not items or self._write.present is None:
            return {}
        with self._counted.reading():
            return self._write.present(items)

    def _record(self, item: Item) -> str:
        """Of a write that makes a new record each time, each delivery has one of its own."""
        named = self._write.record(item.patient, item.arguments)
        if self._write.delivery is not Delivery.UPSERT:
            named = f"{named} {item.key}"
        return staged.hash_of(self._ledger, self._operation, named)


def operation_of(target: str, write: Write) -> str:
    """The write's name with its target's, as the ledger has it."""
    return f"{target}_{write.name}"


def _over(theirs: Arguments | None, ours: Arguments | None) -> Arguments | None:
    """What the target has of a record, under what the stage has of it."""
    return None if theirs is None and ours is None else {**(theirs or NOTHING), **(ours or NOTHING)}


def _whole(held: Held, item: Item) -> Item:
    """The item with all that the stage's deliveries set of its record before."""
    ours = {name: value for name, value in (held.values or NOTHING).items() if name in held.ours}
    return replace(item, arguments={**ours, **item.arguments})


def _written(before: Held, item: Item) -> Held:
    return replace(
        before,
        values={**(before.values or NOTHING), **item.arguments},
        made=before.made or before.values is None,
        delivery=item.key,
        ours=before.ours | item.arguments.keys(),
    )


def _asked(values: Arguments | None, item: Item) -> Arguments | None:
    return None if values is None else {name: values[name] for name in item.arguments if name in values}
