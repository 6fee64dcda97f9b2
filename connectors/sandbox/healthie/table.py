"""A table: the rows of one type, found by id, by owner, and in any order without sorting per request."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from connectors.sandbox.healthie.rows import Row

Key = tuple[int, str]  # a number or a text, the other part left zero or empty
Entry = tuple[Key, int, Row]
KeyOf = Callable[[Row], Key]


class Order:
    """All rows ascending by one key, ties by id. Follows each change by bisection."""

    def __init__(self, key_of: KeyOf, rows: Iterable[Row]) -> None:
        self._key_of = key_of
        self.entries: list[Entry] = [entry(key_of, row) for row in rows]
        self.entries.sort(key=place)
        self._keys: dict[int, Key] = {number: key for key, number, _ in self.entries}

    def add(self, row: Row) -> None:
        made = entry(self._key_of, row)
        self._keys[made[1]] = made[0]
        insort(self.entries, made, key=place)

    def drop(self, row: Row) -> None:
        number = int(str(row["id"]))
        at = bisect_left(self.entries, (self._keys.pop(number), number), key=place)
        del self.entries[at]

    def follow(self, row: Row) -> None:
        """Move the row if its key is no longer the one it was filed under."""
        if self._keys[int(str(row["id"]))] != self._key_of(row):
            self.drop(row)
            self.add(row)


class Table:
    """The rows of one type.

    Args:
        orders: what each order sorts by; an order is built when it is first asked for.
        owners: columns that name the row's owner(s), a text or a list of texts.
    """

    def __init__(self, name: str, first_id: int, orders: Mapping[str, KeyOf], owners: Sequence[str]) -> None:
        self.name = name
        self.version = 0  # changes with every change of any row
        self.rows: dict[str, Row] = {}
        self._next_id = first_id
        self._order_keys = orders
        self._orders: dict[str, Order] = {}
        self._owned: dict[str, dict[str, dict[str, Row]]] = {column: {} for column in owners}

    def new_id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

    def add(self, row: Row) -> None:
        self.version += 1
        self.rows[str(row["id"])] = row
        self._file(row)
        for order in self._orders.values():
            order.add(row)

    def change(self, row: Row, values: Mapping[str, object]) -> None:
        self.version += 1
        owned = any(column in values for column in self._owned)
        if owned:
            self._unfile(row)
        row.update(values)
        if owned:
            self._file(row)
        for order in self._orders.values():
            order.follow(row)

    def remove(self, row: Row) -> None:
        self.version += 1
        for order in self._orders.values():
            order.drop(row)
        self._unfile(row)
        del self.rows[str(row["id"])]

    def owned(self, column: str, owner: str) -> list[Row]:
        """The rows of one owner, in the order in which they came. Owners are compared without case."""
        return list(self._owned[column].get(owner.casefold(), {}).values())

    def ascending(self, order: str) -> list[Entry]:
        """All rows by this order. The list is live: do not keep it, do not change it."""
        if order not in self._orders:
            self._orders[order] = Order(self._order_keys[order], self.rows.values())
        return self._orders[order].entries

    def sorted(self, order: str, rows: Iterable[Row]) -> list[Entry]:
        """These few rows by this order."""
        return sorted((entry(self._order_keys[order], row) for row in rows), key=place)

    def has_order(self, order: str) -> bool:
        return order in self._order_keys

    def _file(self, row: Row) -> None:
        for column, owned in self._owned.items():
            for owner in _owners(row.get(column)):
                owned.setdefault(owner, {})[str(row["id"])] = row

    def _unfile(self, row: Row) -> None:
        for column, owned in self._owned.items():
            for owner in _owners(row.get(column)):
                owned.get(owner, {}).pop(str(row["id"]), None)


def entry(key_of: KeyOf, row: Row) -> Entry:
    return key_of(row), int(str(row["id"])), row


def place(made: Entry | tuple[Key, int]) -> tuple[Key, int]:
    """What entries are sorted by: the key, then the id."""
    return made[0], made[1]


def _owners(value: object) -> Sequence[str]:
    if isinstance(value, list):
        return cast(list[str], value)
    return () if value is None else (str(value).casefold(),)
