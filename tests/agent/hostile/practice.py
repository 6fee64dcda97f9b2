"""The practice under attack: a real database that holds another patient, a CRM, and one policy for both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import JsonValue, SecretStr
from pydantic_ai.models import Model

from agent.agent import Decider, View
from agent.gate import Gate
from agent.instructions import Instructions
from agent.plan import Plan
from agent.policy import Grant, OperationGrant, Policy
from connectors.entry import Category
from connectors.operation import ArgumentModel, Arguments, Delivery, Item, Lookup, Outcome, Write
from connectors.sql import Sql, SqlCredentials
from connectors.tabular import Column, Table
from tests.agent.desk import CATEGORIES as DESK
from tests.agent.desk import TEXT, Owner, Visit
from tests.agent.hostile.ways import BOB, OTHER

CATEGORIES = DESK | {"tags.name": Category.TAGS, "visit_kind": Category.SCHEDULE}
REVEALED = (Category.STATUS, Category.SCHEDULE, Category.TAGS)
SPEAKS: Mapping[str, tuple[str, ...]] = {
    "full_name": ("S1",),
    "email": ("S1",),
    "status": ("S1", "S2"),
    "on": ("S5",),
    "note": ("S5",),
}
REASONS = ("no_name", "no_email")
COLUMNS = ("full_name", "email", "status", "insurance")
BOBS_ROW = {
    "patient_id": OTHER,
    "full_name": "Bob Example",
    "email": BOB,
    "status": "active",
    "insurance": "ZX-1",
}


class Message(ArgumentModel):
    to: str
    text: str = ""


@dataclass
class Crm:
    """A CRM that keeps what is done to it, and of whom it is asked."""

    notes: list[tuple[str, Arguments]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    sent: list[Arguments] = field(default_factory=list)
    asked: list[tuple[str, Arguments]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)  # what the lookup answers, by patient

    def writes(self) -> dict[str, Write]:
        return {
            "crm_note_visit": _write(
                "note_visit", Visit, lambda one: self.notes.append((one.patient, one.arguments)), "note"
            ),
            "crm_delete_contact": _write(
                "delete_contact", Owner, lambda one: self.deleted.append(one.patient)
            ),
            "crm_send_message": _write("send_message", Message, lambda one: self.sent.append(one.arguments)),
        }

    def lookups(self) -> dict[str, Lookup]:
        answered = {"owner": Category.SCHEDULE, "of": Category.CONTACT}
        return {"crm_find_owner": Lookup("find_owner", "Who owns the contact.", Owner, self._find, answered)}

    def _find(self, patient: str, arguments: Arguments) -> JsonValue:
        self.asked.append((patient, arguments))
        return {"owner": self.owners.get(patient, "nobody"), "of": "nobody@example.com"}


def _write(
    name: str, arguments: type[ArgumentModel], act: Callable[[Item], None], free_text: str = ""
) -> Write:
    def send(items: Sequence[Item]) -> list[Outcome]:
        for item in items:
            act(item)
        return [Outcome(item.key, "done") for item in items]

    return Write(
        name=name,
        summary=f"{name.replace('_', ' ').capitalize()}.",
        arguments=arguments,
        delivery=Delivery.BLIND,
        send=send,
        record=lambda patient, given: patient,
        free_text=frozenset({free_text} - {""}),
    )


class Practice:
    """Its two targets, opened and seeded, and deciders for it."""

    def __init__(self, folder: Path) -> None:
        self.crm = Crm()
        self._url = f"sqlite:///{folder / 'warehouse.db'}"
        text = Column(type="str")
        tables = [
            Table(
                name="patients",
                key=("patient_id",),
                patient="patient_id",
                columns={"patient_id": text} | dict.fromkeys(COLUMNS, text),
            ),
            Table(
                name="claims",
                key=("patient_id",),
                patient="patient_id",
                columns={"patient_id": text, "claim": text},
            ),
        ]
        self._sql = Sql(SqlCredentials(url=SecretStr(self._url)), tables)
        rows = {f"warehouse_{name}": write for name, write in self._sql.writes().items()}
        self.writes: dict[str, Write] = rows | self.crm.writes()
        bob = {name: value for name, value in BOBS_ROW.items() if name != "patient_id"}
        self._send("warehouse_upsert_patients", [Item("bob", OTHER, bob)])
        self._send("warehouse_upsert_claims", [Item("bob", OTHER, {"claim": "C-1"})])

    def by_model(self, model: Model, text: str = TEXT, **limits: Any) -> Decider:
        """Raises InstructionsError if the text is none."""
        return self._decider("model", Instructions.parse(text), model=model, **limits)

    def by_program(self, source: str, *, computed: bool = False) -> Decider:
        return self._decider("program", Instructions.parse(TEXT, source), computed=computed)

    def _decider(
        self,
        by: Literal["program", "model"],
        instructions: Instructions,
        *,
        computed: bool = False,
        **how: Any,
    ) -> Decider:
        policy = _policy(by, instructions, computed)
        return Decider(
            gate=Gate(policy, self.writes, CATEGORIES.get),
            policy=policy,
            instructions=instructions,
            writes=self.writes,
            lookups=self.crm.lookups(),
            view=View(CATEGORIES.get, REVEALED, CATEGORIES),
            **how,
        )

    def deliver(self, plans: Mapping[str, Plan]) -> None:
        """Send what was planned, by patient, as the engine does: identity is the engine's."""
        for name in self.writes:
            items = [
                Item(f"{patient}:{name}:{at}", patient, call.values())
                for patient, plan in plans.items()
                for at, call in enumerate(plan.calls)
                if call.operation == name
            ]
            self._send(name, items)

    def _send(self, name: str, items: Sequence[Item]) -> None:
        for start in range(0, len(items), 500):
            outcomes = self.writes[name].send(items[start : start + 500])
            assert [one.state for one in outcomes if one.state != "done"] == []

    def table(self, name: str) -> dict[str, dict[str, Any]]:
        """The rows of a table by patient."""
        engine = sa.create_engine(self._url)
        with engine.connect() as connection:
            rows = connection.execute(sa.text(f"SELECT * FROM {name}")).mappings().all()
        engine.dispose()
        return {str(row["patient_id"]): dict(row) for row in rows}

    def tables(self) -> list[str]:
        engine = sa.create_engine(self._url)
        names = sorted(sa.inspect(engine).get_table_names())
        engine.dispose()
        return names

    def close(self) -> None:
        self._sql.close()


def _policy(by: Literal["program", "model"], instructions: Instructions, computed: bool) -> Policy:
    def grant(argument: str, **given: Any) -> Grant:
        return Grant(because=SPEAKS[argument], **given)

    patients = {
        "full_name": grant("full_name", sources=("first_name", "last_name"), computed=computed),
        "email": grant("email", sources=("email",), transforms=("lower",)),
        "status": grant("status", constants=("active", "archived")),
    }
    visit = {"on": grant("on", sources=("next_visit",)), "note": grant("note", free_text=by == "model")}
    return Policy(
        operations={
            "warehouse_upsert_patients": OperationGrant(arguments=patients),
            "crm_note_visit": OperationGrant(arguments=visit),
        },
        sentences=instructions.numbers,
        categories={
            "warehouse": (Category.IDENTITY, Category.CONTACT, Category.STATUS),
            "crm": (Category.SCHEDULE,),
        },
        by=by,
        reasons=instructions.reasons,
    )
