"""Edits: what a practice's staff does behind the integration's back. Through /control/edit, or later."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

from connectors.sandbox.healthie.kinds import EXTRA
from connectors.sandbox.healthie.rows import Row, read_date, read_moment, text
from connectors.sandbox.healthie.state import State


class Edit(BaseModel):
    """One edit. `at` stamps it (a late commit has an older stamp than its neighbours); default now.

    set: change `values` of `type` `id`. create: a new row of `type`. delete: gone, softly where
    Healthie keeps it. archive, restore: the patient `id`. tag, untag: put tag `values.tag_id` on
    patient `id`, or take it off. merge: patient `id` into patient `values.into`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    act: Literal["set", "create", "delete", "archive", "restore", "tag", "untag", "merge"] = "set"
    type: str = "User"
    id: str | None = None
    values: dict[str, JsonValue] = {}
    at: AwareDatetime | None = None
    touch: bool = True  # False: `updated_at` stays as it was


SOFT = ("Appointment", "AppliedTag", "BillingItem", "SuperBill")


class EditError(ValueError):
    """The edit names something that is not there."""


class Editor:
    """Applies edits. `types` gives a stored field's schema type: ("User", "dob") -> ISO8601Date."""

    def __init__(self, state: State, types: Mapping[tuple[str, str], str]) -> None:
        self._state = state
        self._types = types

    def apply(self, edits: Sequence[Edit]) -> list[str]:
        """Apply in order; gives the id that each one made or changed. Raises EditError."""
        with self._state.lock:
            return [self._apply(edit) for edit in edits]

    def stamp(self, type_: str, ids: Sequence[str] | None, at: datetime) -> int:
        """Give many rows (all of the type without `ids`) one and the same `updated_at`."""
        with self._state.lock:
            table = self._state.table(type_)
            chosen = list(table.rows) if ids is None else ids
            for id_ in chosen:
                table.change(self._row(type_, id_), {"updated_at": at})
            return len(chosen)

    def _apply(self, edit: Edit) -> str:
        state, stamp = self._state, edit.at
        if edit.act == "create":
            values = self._values(edit)
            if edit.type == "User":
                values = {"is_patient": True, "active": True, **self._home(), **values}
            return str(state.insert(edit.type, values, stamp)["id"])
        row = self._row(edit.type, edit.id)
        if edit.act == "set":
            state.update(edit.type, row, self._values(edit), stamp, touch=edit.touch)
        elif edit.act == "delete":
            state.delete(edit.type, row, soft=edit.type in SOFT)
        elif edit.act in ("archive", "restore"):
            active = edit.act == "restore"
            gone = None if active else stamp or state.clock.now()
            state.update("User", row, {"active": active, "archived_at": gone}, stamp)
        elif edit.act == "merge":
            self._merge(row, self._row("User", text(edit.values, "into")))
        else:
            return self._tag(edit, row)
        return str(row["id"])

    def _tag(self, edit: Edit, patient: Row) -> str:
        tag = self._row("Tag", text(edit.values, "tag_id"))
        applied = self._state.table("AppliedTag").owned("user_id", str(patient["id"]))
        on = [one for one in applied if one.get("tag_id") == tag["id"] and one.get("deleted_at") is None]
        if edit.act == "tag" and not on:
            values = {"tag_id": tag["id"], "user_id": patient["id"]}
            return str(self._state.insert("AppliedTag", values, edit.at)["id"])
        if edit.act == "untag":
            for one in on:
                self._state.delete("AppliedTag", one, soft=True)
        return str(on[0]["id"]) if on else ""

    def _merge(self, source: Row, target: Row) -> None:
        """The source is archived; its addresses, policies and appointments go to the target."""
        state = self._state
        for kind, column in (("Location", "user_id"), ("Policy", "user_id"), ("AppliedTag", "user_id")):
            for row in state.table(kind).owned(column, str(source["id"])):
                state.update(kind, row, {column: target["id"]})
        for row in state.table("Appointment").owned("attendee_ids", str(source["id"])):
            state.update("Appointment", row, {"attendee_ids": [target["id"]], "user_id": target["id"]})
        state.update("User", source, {"active": False, "archived_at": state.clock.now()})
        state.update("User", target, {}, state.clock.now())

    def _home(self) -> Row:
        return {"organization_id": next(iter(self._state.table("Organization").rows))}

    def _row(self, type_: str, id_: str | None) -> Row:
        if type_ not in self._state.tables:
            raise EditError(f"no such type: {type_}")
        row = self._state.find(type_, id_)
        if row is None:
            raise EditError(f"no such {type_}")
        return row

    def _values(self, edit: Edit) -> Row:
        if edit.type not in self._state.tables:
            raise EditError(f"no such type: {edit.type}")
        return {name: self._value(edit.type, name, value) for name, value in edit.values.items()}

    def _value(self, type_: str, name: str, value: JsonValue) -> object:
        kind = self._types.get((type_, name))
        if kind is None and name not in EXTRA.get(type_, ()):
            raise EditError(f"{type_} stores no field {name}")
        if value is None:
            return None
        if kind == "ISO8601DateTime" or name == "deleted_at":
            return read_moment(value)
        if kind == "ISO8601Date":
            return read_date(value)
        return str(value) if name == "id" or name.endswith("_id") else value


class Later:
    """Edits that wait for requests: "after k more requests apply these"."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: list[tuple[int, str | None, Callable[[], object]]] = []

    def after(self, requests: int, root: str | None, act: Callable[[], object]) -> None:
        """Run `act` once so many more requests (with that root field) have been answered."""
        self._waiting.append((requests, root, act))

    def due(self, roots: tuple[str, ...]) -> None:
        """A request is about to be answered: run what waited for the ones before it."""
        still = list[tuple[int, str | None, Callable[[], object]]]()
        for left, root, act in self._waiting:
            counts = root is None or root in roots
            if counts and left == 0:
                act()
            else:
                still.append((left - 1 if counts else left, root, act))
        self._waiting = still
