"""Synthetic patients: seeded, invented, and untidy in the ways real ones are."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from connectors.sandbox.healthie.catalogue import Catalogue
from connectors.sandbox.healthie.rows import Row
from connectors.sandbox.healthie.state import State
from connectors.sandbox.healthie.words import AREAS, FIRST, LAST, MALFORMED, ZONES

SPREAD = timedelta(days=730)  # rows were last touched within the past two years


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes one patient after the other, the same ones for the same seed and clock."""

    state: State
    draw: Random
    known: Catalogue
    now: datetime

    def patient(self, at: int) -> str:
        """The bare patient; what surrounds it is made in surroundings.py."""
        first, last = self.draw.choice(FIRST), self.draw.choice(LAST)
        person = {**self._person(at, first, last), **self._oddity(at, first)}
        id_ = str(self.add("User", {**person, **self._standing(at), **self._care()})["id"])
        for staff in self.known.staff[:2]:
            if self.draw.random() < 0.1:
                self.state.unseen.setdefault(staff, {})[id_] = self.draw.randint(1, 3)
        return id_

    def add(self, kind: str, values: Row) -> Row:
        """A row that was made and last touched at some time in the past."""
        touched = self.now - SPREAD * self.draw.random()
        made = touched - timedelta(days=400) * self.draw.random()
        row: Row = {
            "id": self.state.table(kind).new_id(),
            "created_at": made,
            "updated_at": touched,
            **values,
        }
        self.state.table(kind).add(row)
        return row

    def _phone(self) -> str:
        area, line = self.draw.choice(AREAS), f"01{self.draw.randrange(100):02}"
        shapes = (f"{area}-555-{line}", f"({area}) 555-{line}", f"{area}555{line}", f"+1{area}555{line}")
        return self.draw.choices(shapes, (6, 2, 1, 1))[0]

    def _person(self, at: int, first: str, last: str) -> Row:
        return {
            "first_name": first,
            "last_name": last,
            "phone_number": self._phone(),
            "email": f"{_plain(first)}.{_plain(last)}.{at}@example.com",
            "skipped_email": False,
            "dob": date(1935, 1, 1) + timedelta(days=self.draw.randrange(30_000)),
            "sex": self.draw.choice(("Female", "Male")),
            "gender": self.draw.choice(("Female", "Male", "Non-Binary", "")),
            "timezone": self.draw.choice(ZONES),
            "record_identifier": f"MRN-{at:07}",
        }

    def _oddity(self, at: int, first: str) -> Row:
        """About one patient in five has something missing, null, empty, padded or shared."""
        odd = self.draw.random()
        choices: tuple[tuple[float, Row], ...] = (
            (0.04, {"email": None, "skipped_email": True}),
            (0.08, {"phone_number": ""}),
            (0.11, {"dob": None}),
            (0.14, {"record_identifier": "", "legal_name": f"{first} Maria"}),
            (0.16, {"first_name": f"  {first} ", "timezone": None}),
            (0.18, {"email": f"family.{at // 7}@example.com"}),  # relatives share an address
        )
        none: Row = {}
        return next((row for below, row in choices if odd < below), none)

    def _standing(self, at: int) -> Row:
        draw = self.draw
        archived = draw.random() < 0.06
        own = json.dumps({"plan": draw.choice(("gold", "silver", "basic")), "source_ref": f"X{at:06}"})
        loose = draw.random()
        return {
            "is_patient": True,
            "active": not archived,
            "archived_at": self.now - SPREAD * draw.random() if archived else None,
            "metadata": draw.choice(MALFORMED) if loose < 0.02 else None if loose < 0.4 else own,
            "default_billing_type": draw.choice(("SELF_PAY", "INSURANCE_PAY")),
            "credit_balance": "0.00",
            "money_owed": f"{draw.randrange(0, 300)}.00",
            "stripe_id": f"cus_test{at:08}",
            "preferred_language_code": "en",
            "last_sign_in_at": self.now - SPREAD * draw.random() if draw.random() < 0.6 else None,
            "has_completed_intake_forms": draw.random() < 0.7,
            "auto_charge_enabled": draw.random() < 0.3,
        }

    def _care(self) -> Row:
        draw, known = self.draw, self.known
        below = draw.random() < 0.01
        return {
            "organization_id": known.suborganization if below else known.organization,
            "dietitian_id": draw.choice(known.staff[1:]),
            "other_provider_ids": draw.sample(known.staff[1:], draw.choice((0, 0, 1, 2))),
            "user_group_id": draw.choice((*known.groups, None)),
        }


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isascii() and letter.isalnum()) or "x"
