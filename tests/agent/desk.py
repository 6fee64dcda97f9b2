"""A small practice to decide for: two targets, three writes, one lookup, invented patients."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import JsonValue

from agent.access import Batch
from agent.agent import Access, Case, Decider, Terms, View
from agent.allowed import Allowed, Price
from agent.budget import Budgets, Meter, Use
from agent.gate import Gate
from agent.instructions import Instructions
from agent.policy import Grant, OperationGrant, Policy
from connectors.entry import Category, EntryField
from connectors.operation import ArgumentModel, Arguments, Delivery, Lookup, Write

TODAY = date(2026, 11, 22)

FIELDS = (
    EntryField("id", "str", Category.STATUS),
    EntryField("active", "bool", Category.STATUS),
    EntryField("first_name", "str", Category.IDENTITY),
    EntryField("last_name", "str", Category.IDENTITY),
    EntryField("dob", "date", Category.IDENTITY),
    EntryField("email", "str", Category.CONTACT),
    EntryField("phone", "str", Category.CONTACT),
    EntryField("next_visit", "date", Category.SCHEDULE),
    EntryField("policies.num", "str", Category.INSURANCE, many=True),
    EntryField("policies.plan.name", "str", Category.INSURANCE, many=True),
)
CATEGORIES = {field.path: field.category for field in FIELDS}

ANA: dict[str, JsonValue] = {
    "id": "4101",
    "active": True,
    "first_name": "Ana",
    "last_name": "Silva-Example",
    "dob": "1990-04-02",
    "email": "ana@example.com",
    "phone": "(512) 555-0142",
    "next_visit": "2026-12-01",
    "policies": [{"num": "XQH-88213", "plan": {"name": "Blue Example PPO"}}],
}

TEXT = """\
S1. Keep every active patient in the warehouse, with full name and e-mail.

S2. Archive a patient who is no longer active.

S3. Skip a patient without a name (`no_name`).

S4. If the e-mail is null, a person decides (`no_email`). Look again on the day of the next visit.

S5. Note the next visit in the CRM, in a few words of your own.
"""

PROGRAM = """\
def decide(entry, today):
    if entry.get("active") is False:
        return [warehouse_upsert_patients(because=["S2"], status="archived")]
    if not entry.get("last_name"):
        return skip("S3", "no_name")
    if "email" in entry and entry["email"] is None:
        return review("S4", "no_email", again_on=entry.get("next_visit"))
    name = entry["first_name"] + " " + entry["last_name"]
    email = entry.get("email", MISSING)
    return [warehouse_upsert_patients(because=["S1"], full_name=name, email=email)]
"""


class Patient(ArgumentModel):
    full_name: str = ""
    email: str | None = None
    born: date | None = None
    status: Literal["active", "archived"] = "active"
    insurance: str | None = None


class Visit(ArgumentModel):
    on: date
    note: str = ""


class Owner(ArgumentModel):
    email: str
    kind: Literal["person", "team"] = "person"


def _write(name: str, arguments: type[ArgumentModel], delivery: Delivery, free_text: str = "") -> Write:
    return Write(
        name=name,
        summary=f"{name.replace('_', ' ').capitalize()}.",
        arguments=arguments,
        delivery=delivery,
        send=lambda items: [],
        record=lambda patient, arguments: patient,
        free_text=frozenset({free_text} - {""}),
    )


WRITES: Mapping[str, Write] = {
    "warehouse_upsert_patients": _write("upsert_patients", Patient, Delivery.UPSERT),
    "crm_note_visit": _write("note_visit", Visit, Delivery.BLIND, free_text="note"),
    "crm_delete_contact": _write("delete_contact", Owner, Delivery.BLIND),  # never granted
}


def policy(by: Literal["program", "model"]) -> Policy:
    return Policy(
        operations={
            "warehouse_upsert_patients": OperationGrant(
                arguments={
                    "full_name": Grant(sources=("first_name", "last_name"), computed=True),
                    "email": Grant(sources=("email",), transforms=("lower",)),
                    "status": Grant(constants=("active", "archived")),
                }
            ),
            "crm_note_visit": OperationGrant(
                arguments={"on": Grant(sources=("next_visit",)), "note": Grant(free_text=True)}
            ),
        },
        sentences=("S1", "S2", "S3", "S4", "S5"),
        categories={
            "warehouse": (Category.IDENTITY, Category.CONTACT, Category.STATUS),
            "crm": (Category.SCHEDULE,),
        },
        by=by,
        reasons=("no_name", "no_email"),
    )


def case(entry: Mapping[str, JsonValue] = ANA, known: Mapping[str, JsonValue] | None = None) -> Case:
    return Case(patient=str(entry.get("id", "4101")), entry=entry, known=known or {}, today=TODAY)


def by_program(source: str = PROGRAM, *, timezone: str = "UTC", **grants: OperationGrant) -> Decider:
    granted = policy("program")
    granted = granted.model_copy(
        update={"operations": {**granted.operations, **grants}, "timezone": timezone}
    )
    return Decider(
        gate=Gate(granted, WRITES, CATEGORIES.get),
        policy=granted,
        instructions=Instructions.parse(TEXT, source),
        writes=WRITES,
    )


ANSWERED = {
    "id": Category.STATUS,
    "owner": Category.SCHEDULE,
    "of": Category.CONTACT,
    "rows.owner_id": Category.STATUS,
    "rows.name": Category.IDENTITY,
    "rows.next": Category.SCHEDULE,
    "extra": Category.SCHEDULE,
}


class Directory:
    """A lookup's system: who owns a contact. Keeps what it was asked."""

    def __init__(self, answer: JsonValue = None) -> None:
        self.asked: list[tuple[str, Arguments]] = []
        self._answer = answer

    def lookups(self) -> dict[str, Lookup]:
        found = Lookup("find_owner", "Who owns the contact.", Owner, self._find, ANSWERED)
        return {"crm_find_owner": found}

    def _find(self, patient: str, arguments: Arguments) -> JsonValue:
        self.asked.append((patient, arguments))
        return self._answer


class Book:
    """What is booked, and when: the ledger's place in tests."""

    def __init__(self) -> None:
        self.added: list[Use] = []

    @property
    def sum(self) -> Use:
        return sum(self.added, Use())

    def __call__(self, more: Use) -> Use:
        self.added.append(more)
        return self.sum


ALLOWED = Allowed(
    version="test-model", local=True, price=Price.model_validate({"input": 1, "output": 2, "batch": "0.5"})
)


def terms(
    access: Access, book: Book | None = None, budgets: Budgets | None = None, batch: Batch | None = None
) -> Terms:
    return Terms(access, ALLOWED, Meter(budgets or Budgets(), book or Book()), batch)


def by_model(
    access: Access | Terms,
    directory: Directory | None = None,
    *,
    model: str = "openai-compatible:test-model",
    view: View | None = None,
) -> Decider:
    granted = policy("model")
    return Decider(
        gate=Gate(granted, WRITES, CATEGORIES.get),
        policy=granted,
        instructions=Instructions.parse(TEXT),
        writes=WRITES,
        model=model,
        lookups=directory.lookups() if directory else {},
        view=view or View(CATEGORIES.get, {Category.STATUS, Category.SCHEDULE}, CATEGORIES),
        terms=access if isinstance(access, Terms) else terms(access),
    )
