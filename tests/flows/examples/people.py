"""Golden examples as patients of the stand-in: what an example's entry says is what Healthie says of them."""

from collections.abc import Mapping
from typing import cast

from pydantic import JsonValue

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit

Json = dict[str, JsonValue]
PLAIN = (
    "active", "created_at", "first_name", "last_name", "email", "phone_number", "dob",
    "has_completed_intake_forms", "preferred_language_code",
)  # fmt: skip


class People:
    """Makes patients. Tags, payers and whatever else patients share are made once, by name."""

    def __init__(self, healthie: StandIn) -> None:
        self.healthie = healthie
        self._made: dict[tuple[str, str], str] = {}
        (self._home,) = {str(healthie.row("User", one)["organization_id"]) for one in healthie.ids()[:1]}
        self._staff = self._shared(
            "User", "Ruth Ashdown", first_name="Ruth", last_name="Ashdown", is_patient=False
        )

    def add(self, entry: Mapping[str, JsonValue]) -> str:
        """The id of a new patient with this entry."""
        values = {name: entry[name] for name in PLAIN if name in entry}
        if entry.get("credit_balance_minor"):
            values["credit_balance"] = _amount(entry["credit_balance_minor"])
        if entry.get("dietitian"):
            values["dietitian_id"] = self._staff
        if group := entry.get("user_group"):
            values["user_group_id"] = self._named("UserGroup", group)
        patient = self._create("User", **values)
        for one in _listed(entry, "active_tags"):
            self.healthie.tag(patient, self._named("Tag", one))
        for one in _listed(entry, "appointments"):
            self._appointment(patient, one)
        for one in _listed(entry, "policies"):
            self._policy(patient, one)
        for one in _listed(entry, "notification_contacts"):
            self._create("NotificationContact", user_id=patient, **one)
        if location := entry.get("location"):
            self._create("Location", user_id=patient, **cast(Json, location))
        if source := entry.get("client_source"):
            self._create("ClientSource", user_id=patient, **cast(Json, source))
        self._account(patient, entry)
        return patient

    def _create(self, kind: str, **values: JsonValue) -> str:
        return self.healthie.apply([Edit(act="create", type=kind, values=values)])[0]

    def _account(self, patient: str, entry: Mapping[str, JsonValue]) -> None:
        for one in _listed(entry, "requested_payments"):
            owed = one["balance_due_minor"]
            balance = None if owed is None else cast(int, owed) / 100
            kept = {"currency": one["currency"], "created_at": one["created_at"], "balance_due": balance}
            self._create("RequestedPayment", recipient_id=patient, sender_id=self._staff, **kept)
        for one in _listed(entry, "user_package_selections"):
            offering = cast("Json | None", one["offering"])
            made = self._named("Offering", offering, archived=offering["archived"]) if offering else None
            self._create("UserPackageSelection", user_id=patient, offering_id=made)
        for one in _listed(entry, "cms1500s"):
            self._create("Cms1500", patient_id=patient, status=one["status"])

    def _appointment(self, patient: str, one: Json) -> None:
        plain: Json = {"is_blocker": False, "is_group": False, "organization_id": self._home, "length": 45}
        whose: Json = {"attendee_ids": [patient], "user_id": patient, "provider_ids": [self._staff]}
        self._create("Appointment", **plain, **whose, **one)

    def _policy(self, patient: str, one: Json) -> None:
        plan = cast("Json | None", one["insurance_plan"])
        made = None
        if plan:
            payer = str(plan["payer_name"])
            made = self._shared("InsurancePlan", payer, payer_name=payer, payer_id=f"P{len(self._made):02}")
        self._create("Policy", user_id=patient, priority_type=one["priority_type"], insurance_plan_id=made)

    def _named(self, kind: str, one: JsonValue, **values: JsonValue) -> str:
        name = str(cast(Json, one)["name"])
        return self._shared(kind, name, name=name, **values)

    def _shared(self, kind: str, name: str, /, **values: JsonValue) -> str:
        if (kind, name) not in self._made:
            self._made[kind, name] = self._create(kind, **values)
        return self._made[kind, name]


def _listed(entry: Mapping[str, JsonValue], name: str) -> list[Json]:
    return cast("list[Json]", entry.get(name) or [])


def _amount(minor: JsonValue) -> str:
    return f"{cast(int, minor) // 100}.{cast(int, minor) % 100:02}"
