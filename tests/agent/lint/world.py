"""A practice whose sentences are linted: one table of its own database, invented throughout."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.instructions import Instructions
from agent.lint import Finding, Kind, Subject, lint
from agent.manifest import Manifest
from agent.policy import Grant, OperationGrant, Policy
from connectors.entry import Category
from connectors.healthie.fields import catalogue
from connectors.operation import Delivery, Write
from connectors.tabular import Column, Table, arguments_model

FIRST = "Each patient is one row of `patients`, kept by the patient's id."
OPERATION = "warehouse_upsert_patients"
COLUMNS: Mapping[str, tuple[str, Grant]] = {
    "full_name": ("str", Grant(sources=("first_name", "last_name"), computed=True)),
    "email": ("str", Grant(sources=("email",), transforms=("lower",))),
    "phone": ("str", Grant(sources=("phone_number",), transforms=("e164",), constants=(None,))),
    "city": ("str", Grant(sources=("location.city",))),
    "state": ("str", Grant(sources=("location.state",))),
    "zip": ("str", Grant(sources=("location.zip",))),
    "payer": ("str", Grant(sources=("policies.insurance_plan.payer_name",), constants=(None,))),
    "status": ("str", Grant(constants=("new", "active", "lapsed", "archived"))),
    "age_group": ("str", Grant(constants=("minor", "adult", "senior", "unknown"))),
    "priority": ("str", Grant(constants=("high", "normal", "low"))),
    "follow_up": ("str", Grant(constants=("coming soon", "recently seen", "none"))),
    "open_balance_cents": ("int", Grant(sources=("requested_payments.balance_due_minor",), computed=True)),
    "referral_channel": ("str", Grant(sources=("metadata.referral_channel",))),
    "next_visit": ("date", Grant(sources=("next_appt_date",), transforms=("date",), constants=(None,))),
    "reminders": ("bool", Grant(constants=(True, False))),
}
FIELDS = {
    "full_name": "first_name last_name",
    "email": "email",
    "phone": "phone_number",
    "city": "location.city",
    "state": "location.state",
    "zip": "location.zip",
    "payer": "policies.priority_type policies.insurance_plan.payer_name",
    "status": "active appointments.date appointments.pm_status",
    "age_group": "dob",
    "priority": "next_appt_date has_completed_intake_forms",
    "follow_up": "appointments.date",
    "open_balance_cents": "requested_payments.balance_due_minor",
    "referral_channel": "metadata.referral_channel",
    "next_visit": "next_appt_date",
    "reminders": "email",
}
HELD = (
    Category.STATUS, Category.IDENTITY, Category.CONTACT, Category.ADDRESS, Category.INSURANCE,
    Category.SCHEDULE, Category.MONEY, Category.TAGS, Category.CUSTOM,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """Sentences S2, S3, … of an integration. A bad one has one wrong sentence: `at`, else the last.

    columns: what the sentences may set. fields: what they need beside that of these columns; "-" takes one
    away.
    """

    style: str  # bullets, prose, table
    text: str
    columns: str = ""
    fields: str = ""
    kind: Kind | None = None
    at: str = ""
    program: str | None = None
    held: tuple[Category, ...] = HELD
    by_sentence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        return [FIRST, *self.text.strip().split("\n")]

    @property
    def wrong(self) -> str:
        return self.at or f"S{len(self.sentences)}"

    def subject(self) -> Subject:
        text = "\n\n".join(f"S{at}. {sentence}" for at, sentence in enumerate(self.sentences, 1))
        instructions = Instructions.parse(f"# Patients\n\n{text}\n", self.program)
        numbers = instructions.numbers[1:]
        wanted = self.columns.split()
        grants = {
            name: grant.model_copy(update={"because": numbers if name in wanted else ("S1",)})
            for name, (_, grant) in COLUMNS.items()
            if name in wanted or name == "full_name"
        }
        policy = Policy(
            operations={OPERATION: OperationGrant(arguments=grants)},
            sentences=instructions.numbers,
            categories={"warehouse": self.held},
            by="program",
            reasons=instructions.reasons,
        )
        return Subject(instructions, self._manifest(numbers), policy, {OPERATION: write()}, catalogue())

    def _manifest(self, numbers: tuple[str, ...]) -> Manifest:
        gone = {path[1:] for path in self.fields.split() if path.startswith("-")}
        own = [path for name in self.columns.split() for path in FIELDS[name].split()]
        own += [path for path in self.fields.split() if not path.startswith("-")]
        paths = tuple(path for path in dict.fromkeys(own) if path not in gone)
        named = {"S1": ("first_name", "last_name")} | (dict.fromkeys(numbers, paths) if paths else {})
        return Manifest({**named, **self.by_sentence})

    def found(self) -> list[Finding]:
        return lint(self.subject())


def write() -> Write:
    """The upsert of the table with all of its columns."""
    columns = {"patient_id": Column(type="str")} | {
        name: Column(type=type_) for name, (type_, _) in COLUMNS.items()
    }  # type: ignore[arg-type]
    table = Table(name="patients", key=("patient_id",), patient="patient_id", columns=columns)
    return Write(
        name="upsert_patients",
        summary="Write the patient's row.",
        arguments=arguments_model(table),
        delivery=Delivery.UPSERT,
        send=lambda _: [],
        record=lambda patient, _: patient,
    )
