"""Canaries: patients whose every stored field holds a value that stands nowhere else."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from connectors.sandbox.healthie.derived import DERIVED
from connectors.sandbox.healthie.kinds import CHILD_OF
from connectors.sandbox.healthie.rows import Row
from connectors.sandbox.healthie.state import State

PER_PATIENT = (  # kinds of which a canary patient has one row each -> the column that names the patient
    {
        **CHILD_OF,
        "CourseMembership": "user_id",
        "ClientSource": "user_id",
        "StripeCustomerDetail": "user_id",
        "AppointmentTypeCredit": "user_id",
        "InsuranceAuthorizationType": "user_id",
        "SuperBill": "patient_id",
        "UserPackageSelection": "user_id",
        "RecurringPayment": "sender_id",
    }
)
LINKS = frozenset(
    {"id", "created_at", "updated_at", "deleted_at", "archived_at", "date", "timezone", "due_date"}
)


def make_canaries(
    state: State, types: Mapping[tuple[str, str], str], count: int
) -> tuple[list[str], list[str]]:
    """So many canary patients: their ids, and every canary value as it is served."""
    ids, words = list[str](), list[str]()
    for _ in range(count):
        number = len(state.table("User").rows) + 1
        marked = _Marker(types, number)
        home = next(iter(state.table("Organization").rows))
        plain: Row = {
            "is_patient": True,
            "active": True,
            "organization_id": home,
            "timezone": "America/New_York",
        }
        patient = state.insert("User", {**marked.values("User"), **plain})
        id_ = str(patient["id"])
        for kind, column in PER_PATIENT.items():
            values = {**marked.values(kind), column: id_}
            if kind == "Appointment":
                values |= {"attendee_ids": [id_], "date": state.clock.now(), "organization_id": home}
            state.insert(kind, values)
        ids.append(id_)
        words += marked.words
    return ids, words


class _Marker:
    """Makes the values of one patient."""

    def __init__(self, types: Mapping[tuple[str, str], str], number: int) -> None:
        self._types = types
        self._number = number
        self._made = 0
        self.words: list[str] = []

    def values(self, kind: str) -> Row:
        values: Row = {}
        for (type_, name), leaf in self._types.items():
            if type_ != kind or name in LINKS or name.endswith(("_id", "_ids")) or (type_, name) in DERIVED:
                continue
            made = self._value(kind, name, leaf)
            if made is not None:
                values[name] = made
        return values

    def _value(self, kind: str, name: str, leaf: str) -> object:
        self._made += 1
        mark = f"CANARY_{kind}_{name}_{self._number}".upper()
        made: object = None
        if leaf in ("String", "ID"):
            made = self._text(name, mark)
        elif leaf == "ISO8601Date":
            made = date(1903, 1, 1).replace(day=1 + self._number % 28, month=1 + self._number // 28 % 12)
        elif leaf == "ISO8601DateTime":
            return datetime(
                2031, 1 + self._made % 12, 1 + self._number % 28, 3, 17, self._made % 60, tzinfo=UTC
            )
        elif leaf == "JSON":
            made = {"canary": mark}
            self.words.append(mark)
            return made
        if made is not None:
            self.words.append(str(made))
        return made

    def _text(self, name: str, mark: str) -> str:
        if "email" in name:
            return f"{mark.lower()}@example.com"
        if "phone" in name or name == "fax_number":
            return f"{200 + (self._number * 7 + self._made) % 790}-555-01{self._made % 100:02}"
        if name == "holder_dob":
            return f"1904-07-{1 + self._number % 28:02}"
        if name == "zip":
            return f"0{(self._number * 100 + self._made) % 10_000:04}"
        return mark
