"""Canaries: patients whose every stored field holds a value that stands nowhere else."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from connectors.sandbox.healthie.derived import DERIVED
from connectors.sandbox.healthie.kinds import CHILD_OF
from connectors.sandbox.healthie.rows import Row, names
from connectors.sandbox.healthie.state import State

OWNED = {  # kinds of which a canary patient has one row each -> the column that names the patient
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
LEFT = frozenset(names("id created_at updated_at deleted_at archived_at date timezone due_date"))
NO_LINKS = frozenset(names("stripe_id stripe_charge_id invoice_id session_id other_id patient_account_num"))
MONEY = frozenset(
    names("""amount_paid amount_paid_string net_payment refund_amount price original_price total_charge
    total_fee amount_reimbursed client_responsibility balance_due credit_balance money_owed amount_to_pay
    copay adjustment application_fee_amount next_scheduled_payment_amount initial_price_with_offering_coupon
    copay_still_owed offering_price_at_invoice_creation""")
)
SERVED_IN = ZoneInfo("America/New_York")  # the timezone of the key that sees all


def make_canaries(
    state: State, types: Mapping[tuple[str, str], str], count: int
) -> tuple[list[str], list[str]]:
    """So many canary patients: their ids, and every canary value."""
    ids, words = list[str](), list[str]()
    home = next(iter(state.table("Organization").rows))
    for _ in range(count):
        marker = Marker(types, len(state.table("User").rows) + 1)
        plain: Row = {"is_patient": True, "active": True, "organization_id": home, "timezone": SERVED_IN.key}
        id_ = str(state.insert("User", {**marker.values("User"), **plain})["id"])
        for kind, column in OWNED.items():
            values: Row = {**marker.values(kind), column: id_}
            if kind == "Appointment":
                values |= {"attendee_ids": [id_], "date": state.clock.now(), "organization_id": home}
            state.insert(kind, values)
        ids.append(id_)
        words += marker.words
    return ids, words


class Marker:
    """Makes the values of one patient; `words` are those that must not turn up where they may not."""

    def __init__(self, types: Mapping[tuple[str, str], str], number: int) -> None:
        self._types = types
        self._number = number
        self._made = 0
        self.words: list[str] = []

    def values(self, kind: str) -> Row:
        """A value for every field that rows of this kind store, links, stamps, flags and counts left out."""
        return {
            name: value
            for (type_, name), leaf in self._types.items()
            if type_ == kind and name not in LEFT and (type_, name) not in DERIVED
            if name in NO_LINKS or not name.endswith(("_id", "_ids"))
            if (value := self._value(kind, name, leaf)) is not None
        }

    def _value(self, kind: str, name: str, leaf: str) -> object:
        self._made += 1
        mark = f"CANARY_{kind}_{name}_{self._number}".upper()
        match leaf:
            case "String" | "ID":
                return self._text(name, mark)
            case "[String]":
                return [self._word(mark)]
            case "JSON":
                return {"canary": self._word(mark)}
            case "ISO8601Date":
                day = date(1903, 1 + self._number // 28 % 12, 1 + self._number % 28)
                self._word(day.isoformat())
                return day
            case "ISO8601DateTime":
                return self._instant()
            case _:
                return None

    def _text(self, name: str, mark: str) -> str:
        number, made = self._number, self._made
        if name == "metadata":
            return json.dumps({"canary": self._word(mark)})
        shaped = {
            "fax_number": f"{200 + (number * 7 + made) % 790}-555-01{made % 100:02}",
            "holder_dob": f"1904-07-{1 + number % 28:02}",
            "zip": f"0{(number * 100 + made) % 10_000:04}",
            **dict.fromkeys(MONEY, f"{7_000_000 + number * 200 + made}.{made % 100:02}"),
        }
        if "email" in name:
            mark = f"{mark.lower()}@example.com"
        elif "phone" in name:
            mark = shaped["fax_number"]
        return self._word(shaped.get(name, mark))

    def _instant(self) -> datetime:
        month, day = 1 + self._made % 12, 1 + self._number % 28
        at = datetime(2031, month, day, 3, 17, self._made % 60, tzinfo=UTC)
        self._word(at.isoformat(timespec="minutes")[:16])
        self._word(at.astimezone(SERVED_IN).isoformat(timespec="minutes")[:16])
        return at

    def _word(self, word: str) -> str:
        self.words.append(word)
        return word
