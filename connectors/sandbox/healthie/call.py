"""Call: one GraphQL request on its way through the resolvers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.sandbox.healthie.connections import Connection, Keep, Listing, empty, page_of
from connectors.sandbox.healthie.rows import Args, Row, objects, text
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
        return empty() if isinstance(found, Connection) else [] if isinstance(found, list) else None

    def write(self, name: str, resolver: "RootResolver", args: Args) -> object:
        """What a mutation answers, with its effect noted."""
        touched, mails = len(self.state.touched), len(self.state.mails)
        payload = resolver(self, args)
        asked = args.get("input")
        self.effects.append(
            Effect(
                name,
                asked if isinstance(asked, dict) else {},
                tuple(self.state.touched[touched:]),
                tuple(self.state.mails[mails:]),
                tuple(str(one["message"]) for one in objects(payload, "messages"))
                if isinstance(payload, dict)
                else (),
            )
        )
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

    def patient(self, id_: str | None) -> Row | None:
        row = self.state.find("User", id_)
        return row if row is not None and row.get("is_patient") and self.sees(row) else None

    def of_patient(self, kind: str, column: str, patient: Row) -> list[Row]:
        """The living rows of one patient."""
        rows = self.state.table(kind).owned(column, str(patient["id"]))
        return [row for row in rows if row.get("deleted_at") is None]

    def listed(self, kind: str, keep: Keep, args: Args, order: str, *, signature: object = None) -> Listing:
        """Every living row of a kind that is kept.

        `signature` names what `keep` keeps, so that the count can be remembered until a row changes.
        """
        table = self.state.table(kind)
        order = text(args, "order_by") or order
        entries = table.ascending(_stem(order))

        def living(row: Row) -> bool:
            return row.get("deleted_at") is None and keep(row)

        def counted() -> int:
            if signature is None:
                return sum(1 for _, _, row in entries if living(row))
            known = self.state.counts.get((kind, signature))
            if known is None or known[0] != self.state.version:
                known = (self.state.version, sum(1 for _, _, row in entries if living(row)))
                self.state.counts[(kind, signature)] = known
            return known[1]

        return Listing(entries, living, order, counted)

    def few(
        self, kind: str, rows: Iterable[Row], args: Args, order: str, keep: Keep = lambda _: True
    ) -> Listing:
        """A small list, sorted on the spot."""
        order = text(args, "order_by") or order
        living = (row for row in rows if row.get("deleted_at") is None)
        return Listing(self.state.table(kind).sorted(_stem(order), living), keep, order)

    def page(self, listing: Listing, args: Args, default: int = 10) -> Connection:
        return page_of(listing, args, default=default, cap=self.state.settings.page_cap)

    def none(self) -> Connection:
        return empty()


Resolver = Callable[[Call, Row, Args], object]
RootResolver = Callable[[Call, Args], object]


def _stem(order: str) -> str:
    return order.removesuffix("_ASC").removesuffix("_DESC")
