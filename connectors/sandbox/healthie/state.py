"""The state of the stand-in practice: its tables, its clock, and the three ways a row may change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from connectors.sandbox.healthie.clock import Clock
from connectors.sandbox.healthie.kinds import CHILD_OF, new_tables
from connectors.sandbox.healthie.rows import Row, moment, text
from connectors.sandbox.healthie.settings import Settings
from connectors.sandbox.healthie.table import Table
from connectors.sandbox.healthie.viewers import Viewer


@dataclass(frozen=True, slots=True)
class Touched:
    """One row that a request changed: what kind of change, and the names of the fields."""

    act: str  # created, changed, deleted
    type: str
    id: str
    fields: tuple[str, ...] = ()


@dataclass
class State:
    """Everything the stand-in knows. Whoever reads or changes it holds `lock`."""

    clock: Clock
    settings: Settings = field(default_factory=Settings)
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
    viewers: dict[str, Viewer] = field(default_factory=dict[str, Viewer])  # by API key
    unseen: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    mails: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # (patient, kind)
    touched: list[Touched] = field(default_factory=list[Touched])  # since it was last emptied
    counts: dict[object, tuple[int, int]] = field(default_factory=dict[object, tuple[int, int]])
    lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        self.tables = self.tables or new_tables(self)

    @property
    def version(self) -> int:
        """Another number after any change of any row."""
        return sum(table.version for table in self.tables.values())

    def table(self, kind: str) -> Table:
        return self.tables[kind]

    def find(self, kind: str, id_: str | None) -> Row | None:
        return self.tables[kind].rows.get(id_) if id_ is not None else None

    def insert(self, kind: str, values: Mapping[str, object], at: datetime | None = None) -> Row:
        """A new row with the next id, stamped now or `at`."""
        table = self.tables[kind]
        now = at or self.clock.now()
        row: Row = {"id": table.new_id(), "created_at": now, "updated_at": now, **values}
        table.add(row)
        self.touched.append(Touched("created", kind, str(row["id"]), tuple(values)))
        self._touch_patient(kind, row, at)
        return row

    def update(
        self,
        kind: str,
        row: Row,
        values: Mapping[str, object],
        at: datetime | None = None,
        *,
        touch: bool = True,
    ) -> tuple[str, ...]:
        """Change fields. Bumps `updated_at` if anything differs (and `touch`); gives the changed names."""
        changed = {name: value for name, value in values.items() if row.get(name) != value}
        if not changed and at is None:
            return ()
        stamp: Row = {"updated_at": at or self.clock.now()} if touch and "updated_at" not in values else {}
        self.tables[kind].change(row, {**changed, **stamp})
        self.touched.append(Touched("changed", kind, str(row["id"]), tuple(changed)))
        if touch:
            self._touch_patient(kind, row, at)
        return tuple(changed)

    def delete(self, kind: str, row: Row, *, soft: bool) -> None:
        """Take a row away: gone, or kept with `deleted_at` and out of every list."""
        if soft:
            now = self.clock.now()
            self.tables[kind].change(row, {"deleted_at": now, "updated_at": now})
        else:
            self.tables[kind].remove(row)
        self.touched.append(Touched("deleted", kind, str(row["id"])))
        self._touch_patient(kind, row, None)

    def configure(self, values: Mapping[str, object]) -> None:
        self.settings = Settings.model_validate({**self.settings.model_dump(), **values})
        self.counts.clear()

    def staff(self, user_id: str) -> Row | None:
        """The person of the practice with this id, no patient."""
        row = self.find("User", user_id)
        return row if row is not None and not row.get("is_patient") else None

    def _touch_patient(self, kind: str, row: Row, at: datetime | None) -> None:
        """Whether a child's change shows on its patient is unknown for Healthie: a setting, off."""
        column = CHILD_OF.get(kind)
        if column is None or not self.settings.child_writes_touch_user:
            return
        patient = self.find("User", text(row, column))
        if patient is not None and (moment(patient, "updated_at") != at or at is None):
            self.tables["User"].change(patient, {"updated_at": at or self.clock.now()})
