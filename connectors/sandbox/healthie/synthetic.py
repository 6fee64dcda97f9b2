"""Synthetic patients: seeded, invented, and untidy in the ways real ones are."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from connectors.sandbox.healthie.catalogue import Catalogue
from connectors.sandbox.healthie.rows import Row, midnight
from connectors.sandbox.healthie.state import State
from connectors.sandbox.healthie.words import AREAS, FIRST, LAST, MALFORMED, PLACES, STREETS, ZONES

SPREAD = timedelta(days=730)  # rows were last touched within the past two years
HOME_ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes one patient after the other, the same ones for the same seed and clock."""

    state: State
    draw: Random
    known: Catalogue
    now: datetime

    def patients(self, count: int) -> list[str]:
        return [self.patient(at) for at in range(count)]

    def patient(self, at: int) -> str:
        first, last = self.draw.choice(FIRST), self.draw.choice(LAST)
        row = self.add("User", {**self._person(at, first, last), **self._standing(at), **self._care()})
        id_ = str(row["id"])
        for make in (
            self._locations,
            self._policies,
            self._tags,
            self._appointments,
            self._money,
            self._rest,
        ):
            make(id_)
        for staff in self.known.staff[:2]:
            if self.draw.random() < 0.1:
                self.state.unseen.setdefault(staff, {})[id_] = self.draw.randint(1, 3)
        return id_

    def _stamps(self) -> Row:
        touched = self.now - SPREAD * self.draw.random()
        return {"created_at": touched - timedelta(days=400) * self.draw.random(), "updated_at": touched}

    def add(self, kind: str, values: Row) -> Row:
        row: Row = {"id": self.state.table(kind).new_id(), **self._stamps(), **values}
        self.state.table(kind).add(row)
        return row

    def _phone(self) -> str:
        digits = f"{self.draw.choice(AREAS)}55501{self.draw.randrange(100):02}"
        shapes = (
            f"{digits[:3]}-{digits[3:6]}-{digits[6:]}",
            f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
            digits,
            f"+1{digits}",
        )
        return self.draw.choices(shapes, (6, 2, 1, 1))[0]

    def _person(self, at: int, first: str, last: str) -> Row:
        draw = self.draw
        values: Row = {
            **{"first_name": first, "last_name": last, "phone_number": self._phone()},
            **{"email": f"{_plain(first)}.{_plain(last)}.{at}@example.com", "skipped_email": False},
            "dob": date(1935, 1, 1) + timedelta(days=draw.randrange(30_000)),
            **{
                "sex": draw.choice(("Female", "Male")),
                "gender": draw.choice(("Female", "Male", "Non-Binary", "")),
            },
            **{"timezone": draw.choice(ZONES), "record_identifier": f"MRN-{at:07}"},
        }
        odd = draw.random()
        if odd < 0.04:
            values.update({"email": None, "skipped_email": True})
        elif odd < 0.08:
            values.update({"phone_number": ""})
        elif odd < 0.11:
            values.update({"dob": None})
        elif odd < 0.14:
            values.update({"record_identifier": "", "legal_name": f"{first} Maria"})
        elif odd < 0.16:
            values.update({"first_name": f"  {first} ", "timezone": None})
        elif odd < 0.18 and at:
            values.update({"email": f"family.{at // 7}@example.com"})  # relatives share an address
        return values

    def _standing(self, at: int) -> Row:
        draw = self.draw
        archived = draw.random() < 0.06
        own: Row = {"plan": draw.choice(("gold", "silver", "basic")), "source_ref": f"X{at:06}"}
        loose = draw.random()
        metadata = draw.choice(MALFORMED) if loose < 0.02 else None if loose < 0.4 else json.dumps(own)
        return {
            **{"is_patient": True, "active": not archived, "metadata": metadata},
            **{"archived_at": self.now - SPREAD * draw.random() if archived else None},
            **{"default_billing_type": draw.choice(("SELF_PAY", "INSURANCE_PAY")), "credit_balance": "0.00"},
            **{
                "money_owed": f"{draw.randrange(0, 300)}.00",
                "stripe_id": f"cus_test{at:08}",
                "preferred_language_code": "en",
            },
            **{"last_sign_in_at": self.now - SPREAD * draw.random() if draw.random() < 0.6 else None},
            **{"has_completed_intake_forms": draw.random() < 0.7, "auto_charge_enabled": draw.random() < 0.3},
        }

    def _care(self) -> Row:
        draw, known = self.draw, self.known
        suborganization = draw.random() < 0.01
        return {
            "organization_id": known.suborganization if suborganization else known.organization,
            "dietitian_id": draw.choice(known.staff[1:]),
            "other_provider_ids": draw.sample(known.staff[1:], draw.choice((0, 0, 1, 2))),
            "user_group_id": draw.choice((*known.groups, None)),
        }

    def _locations(self, id_: str) -> None:
        for at in range(self.draw.choices((0, 1, 2, 3), (5, 70, 20, 5))[0]):
            city, state, zip_ = self.draw.choice(PLACES)
            line = f"{self.draw.randint(1, 999)} {self.draw.choice(STREETS)}"
            second = self.draw.choice((None, "", "Apt 4B"))
            self.add(
                "Location",
                {
                    "user_id": id_,
                    "name": ("Home", "Work", "")[at],
                    "line1": line,
                    "line2": second,
                    "city": city,
                    "state": state,
                    "zip": zip_,
                    "country": "US",
                },
            )

    def _policies(self, id_: str) -> None:
        draw = self.draw
        for priority in draw.choice(
            ((), ("primary",), ("primary",), ("primary", "secondary"), ("primary", "inactive"))
        ):
            start = date(self.now.year - draw.randint(0, 3), draw.randint(1, 12), 1)
            plan = self.state.find("InsurancePlan", draw.choice(self.known.plans)) or {}
            self.add(
                "Policy",
                {
                    **{
                        "user_id": id_,
                        "priority_type": priority,
                        "num": f"W{draw.randrange(10**9):09}",
                        "name": plan.get("payer_name"),
                    },
                    **{
                        "group_num": f"{draw.randrange(10**5):05}",
                        "insurance_plan_id": plan.get("id"),
                        "type_string": "Commercial",
                    },
                    **{
                        "effective_start": midnight(start, HOME_ZONE),
                        "copay_value": draw.choice((0, 2000, 3500)),
                    },
                    **{
                        "effective_end": midnight(start.replace(year=start.year + 1), HOME_ZONE)
                        if priority == "inactive"
                        else None
                    },
                    **{
                        "holder_relationship": "self",
                        "insurance_billing_method": "in_network",
                        "coinsurance_value": 20,
                    },
                },
            )

    def _tags(self, id_: str) -> None:
        for tag in self.draw.sample(self.known.tags, self.draw.choice((0, 0, 1, 1, 2))):
            self.add("AppliedTag", {"user_id": id_, "tag_id": tag})

    def _appointments(self, id_: str) -> None:
        draw = self.draw
        for _ in range(draw.choice((0, 1, 2, 3, 4))):
            at = self.now + timedelta(hours=draw.randrange(-12_000, 1_500))
            past = at < self.now
            status = (
                draw.choice(("Occurred", "Occurred", "No-Show", "Cancelled", "Re-Scheduled"))
                if past
                else draw.choice((None, None, None, "Cancelled"))
            )
            people = [draw.choice(self.known.staff[1:])]
            self.add(
                "Appointment",
                appointment(self.known, [id_], people, at, status, draw.choice(self.known.types[:2])),
            )

    def _money(self, id_: str) -> None:
        for _ in range(self.draw.choice((0, 0, 1, 1, 2))):
            invoice(self.add, self.draw, self.known, id_)

    def _rest(self, id_: str) -> None:
        draw, staff = self.draw, self.known.staff
        if draw.random() < 0.3:
            self.add(
                "Task",
                {
                    "client_id": id_,
                    "content": "Call about the forms",
                    "complete": False,
                    "priority": draw.randint(0, 2),
                    "created_by_id": staff[0],
                    "assignee_ids": [draw.choice(staff)],
                    "due_date": self.now + timedelta(days=draw.randint(-30, 30)),
                    "metadata": {},
                },
            )
        if draw.random() < 0.15:
            self.add(
                "Referral",
                {
                    "user_id": id_,
                    "referring_physician_id": draw.choice(self.known.physicians),
                    "metadata": None,
                },
            )
        if draw.random() < 0.2:
            self.add(
                "RecurringPayment",
                {
                    "sender_id": id_,
                    "recipient_id": staff[1],
                    "offering_id": self.known.offerings[0],
                    "offering_name": "Membership",
                    "amount_to_pay": "99.00",
                    "billing_frequency": "Monthly",
                    "is_canceled": draw.random() < 0.3,
                    "is_paused": False,
                    "next_payment_date": self.now + timedelta(days=draw.randint(1, 30)),
                    "payments_remaining": "Until canceled",
                },
            )
            self.add("UserPackageSelection", {"user_id": id_, "offering_id": self.known.offerings[0]})
        if draw.random() < 0.2:
            self.add(
                "StripeCustomerDetail",
                {
                    "user_id": id_,
                    "stripe_id": f"card_test{id_}",
                    "source_type": "card",
                    "source_status": "active",
                    "card_type": "visa",
                    "card_type_label": "Visa",
                    "last_four": f"{draw.randrange(10_000):04}",
                    "expiration": self.now + timedelta(days=400),
                },
            )


Add = Callable[[str, Row], Row]


def appointment(
    known: Catalogue, guests: list[str], people: list[str], at: datetime, status: str | None, kind: str
) -> Row:
    """The stored fields of an appointment; with more than one guest it is a group's and has no `user_id`."""
    group = len(guests) > 1
    return {
        **{
            "attendee_ids": guests,
            "user_id": None if group else guests[0],
            "is_group": group,
            "provider_ids": people,
        },
        **{
            "other_party_id": people[0],
            "appointment_type_id": kind,
            "date": at,
            "length": 45,
            "pm_status": status,
        },
        **{"pm_status_changed_at": at if status else None, "contact_type": "Video Chat", "is_blocker": False},
        **{"organization_id": known.organization, "timezone_abbr": "EST", "confirmed": True, "metadata": {}},
    }


def invoice(add: Add, draw: Random, known: Catalogue, id_: str) -> None:
    """An invoice, its payment where it was paid, and sometimes a claim and a superbill for it."""
    cents = draw.randrange(2_000, 40_000)
    price, provider = f"{cents // 100}.{cents % 100:02}", known.staff[1]
    paid = draw.random() < 0.6
    asked = add(
        "RequestedPayment",
        {
            "invoice_id": f"{draw.randrange(10**6):06}",
            "invoice_type": "Other",
            "status": "Paid" if paid else "Not Yet Paid",
            "price": price,
            "balance_due": 0.0 if paid else cents / 100,
            "currency": "usd",
            "recipient_id": id_,
            "sender_id": provider,
            "offering_id": known.offerings[1],
            "metadata": None,
        },
    )
    if paid or draw.random() < 0.2:
        state = "SUCCEEDED" if paid else "FAILED"
        add(
            "BillingItem",
            {
                "state": state,
                "amount_paid": price,
                "amount_paid_string": f"${price}",
                "net_payment": price,
                "refund_amount": "0.00",
                "currency": "usd",
                "payment_medium": "card",
                "failure_reason": None if paid else "card_declined",
                "sender_id": id_,
                "recipient_id": provider,
                "requested_payment_id": asked["id"],
                "stripe_charge_id": f"ch_test{asked['id']}",
                "is_recurring": False,
                "is_outside_payment": False,
            },
        )
    if draw.random() < 0.3:
        add(
            "Cms1500",
            {
                "status": draw.choice(("NOT_SENT", "SENT", "FULLY_PAID", "REJECTED")),
                "patient_id": id_,
                "dietitian_id": provider,
                "total_charge": price,
                "amount_paid": "0.00",
                "amount_reimbursed": "0.00",
                "client_responsibility": "20.00",
                "primary_plan_name": "Aurora Health Plan",
                "date_of_service": asked["created_at"],
            },
        )
    if draw.random() < 0.1:
        add(
            "SuperBill",
            {
                "status": "Unpaid",
                "patient_id": id_,
                "dietitian_id": provider,
                "total_fee": price,
                "amount_paid": "0.00",
                "balance_due": price,
                "service_date": asked["created_at"],
            },
        )


def groups_and_blockers(maker: Maker, patients: list[str]) -> None:
    """A few group appointments, and blocked times of the staff."""
    for at in range(0, min(len(patients), 400), 25):
        guests = patients[at : at + 4]
        when = maker.now + timedelta(days=at - 150)
        if len(guests) > 1:
            maker.add(
                "Appointment",
                appointment(maker.known, guests, [maker.known.staff[2]], when, None, maker.known.types[2]),
            )
        blocker = appointment(
            maker.known, [maker.known.staff[2]], [maker.known.staff[2]], when, None, maker.known.types[1]
        )
        maker.add("Appointment", {**blocker, "is_blocker": True, "attendee_ids": [], "user_id": None})


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isascii() and letter.isalnum()) or "x"
