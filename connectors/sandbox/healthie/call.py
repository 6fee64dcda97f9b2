"""Call: one GraphQL request on its way through the resolvers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.sandbox.healthie.connections import Connection, Keep, Listing, empty, page_of
from connectors.sandbox.healthie.rows import Args, Row, input_of, objects, text
from connectors.sandbox.healthie.state import State, Touched
from connectors.sandbox.healthie.viewers import Viewer


@dataclass(frozen=True, slots=True)
class Effect:
    """What one mutation was asked and what it did: the proof that tests read."""

    root: str
    asked: Args
    changes: tuple[Touched, ...]
    mails: tuple[tuple[str, str], ...]  # (patient, kind of mail)
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """Who asks, and the state that answers. `emptied` and `failing` are root fields with a fault on them."""

    state: State
    viewer: Viewer
    emptied: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    effects: list[Effect] = field(default_factory=list[Effect])

    def read(self, name: str, resolver: "RootResolver", args: Args) -> object:
        """What a root field of Query answers; nothing where the `empty` fault is on it."""
        found = resolver(self, args)
        if name not in self.emptied:
            return found
        return empty() if isinstance(found, Connection) else () if isinstance(found, list) else None

    def write(self, name: str, resolver: "WriteResolver", args: Args) -> Row:
        """What a mutation answers, with its effect noted."""
        touched, mails = len(self.state.touched), len(self.state.mails)
        payload = resolver(self, args)
        messages = tuple(str(one["message"]) for one in objects(payload, "messages"))
        changes, sent = tuple(self.state.touched[touched:]), tuple(self.state.mails[mails:])
        self.effects.append(Effect(name, input_of(args), changes, sent, messages))
        return payload

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.viewer.zone)

    def served(self, value: object) -> object:
        """A stored value as Healthie gives it: instants in the timezone of the key's user, to the second."""
        if isinstance(value, datetime):
            return value.astimezone(self.zone).isoformat(timespec="seconds")
        return value.isoformat() if isinstance(value, date) else value

    def sees(self, patient: Row | None) -> bool:
        """Whether the key's user may see this patient."""
        if patient is None:
            return False
        if patient.get("restricted") and not self.state.settings.restricted_shown:
            return self.viewer.in_care(patient)
        return self.viewer.sees_all or self.viewer.in_care(patient)

    @property
    def visible(self) -> Keep:
        """`sees` as a check for long lists of patients."""
        if not self.viewer.sees_all:
            return self.sees
        if self.state.settings.restricted_shown:
            return lambda _: True
        return lambda row: not row.get("restricted") or self.viewer.in_care(row)

    def patient(self, id_: str | None) -> Row | None:
        row = self.state.find("User", id_)
        return row if row is not None and row.get("is_patient") and self.sees(row) else None

    def of_patient(self, kind: str, column: str, patient: Row) -> list[Row]:
        """The living rows of one patient."""
        return self.living(kind, column, str(patient["id"]))

    def living(self, kind: str, column: str, owner: str) -> list[Row]:
        return [row for row in self.state.table(kind).owned(column, owner) if alive(row)]

    def listed(
        self, kind: str, keep: Keep | None, args: Args, order: str, *, timeless: bool = True
    ) -> Listing:
        """Every living row of a kind that is kept.

        A count is remembered until a row changes, unless the passing of time changes it too.
        """
        table = self.state.table(kind)
        order = text(args, "order_by") or order
        entries = table.ascending(_stem(order))
        kept = all_of(alive, keep)

        def counted() -> int:
            if not timeless:
                return sum(1 for _, _, row in entries if kept(row))
            asked = [(name, args[name]) for name in sorted(args) if name not in PAGING]
            signature = (kind, self.viewer.user_id, repr(asked))
            known = self.state.counts.get(signature)
            if known is None or known[0] != self.state.version:
                known = (self.state.version, sum(1 for _, _, row in entries if kept(row)))
                self.state.counts[signature] = known
            return known[1]

        return Listing(entries, kept, order, counted)

    def few(
        self, kind: str, rows: Iterable[Row], args: Args, order: str, keep: Keep | None = None
    ) -> Listing:
        """A small list, sorted on the spot."""
        order = text(args, "order_by") or order
        return Listing(self.state.table(kind).sorted(_stem(order), rows), all_of(alive, keep), order)

    def page(self, listing: Listing, args: Args, default: int = 10) -> Connection:
        return page_of(listing, args, default=default, cap=self.state.settings.page_cap)

    def none(self) -> Connection:
        return empty()


PAGING = frozenset({"first", "last", "after", "before", "order_by"})
Resolver = Callable[[Call, Row, Args], object]
RootResolver = Callable[[Call, Args], object]
WriteResolver = Callable[[Call, Args], Row]


def _stem(order: str) -> str:
    return order.removesuffix("_ASC").removesuffix("_DESC")


def alive(row: Row) -> bool:
    return row.get("deleted_at") is None


def all_of(*checks: Keep | None) -> Keep:
    """One check out of many, None being no check: lists of tens of thousands of rows are counted with it."""
    real = [check for check in checks if check is not None]
    if not real:
        return lambda _: True
    if len(real) == 1:
        return real[0]
    first, rest = real[0], all_of(*real[1:])
    return lambda row: first(row) and rest(row)
