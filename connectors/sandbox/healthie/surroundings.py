"""Surroundings of a synthetic patient: addresses, policies, tags, appointments, tasks and the rest."""

from datetime import date, datetime, timedelta

from connectors.sandbox.healthie.catalogue import Catalogue
from connectors.sandbox.healthie.rows import Row, midnight, text
from connectors.sandbox.healthie.spending import spending
from connectors.sandbox.healthie.synthetic import Maker
from connectors.sandbox.healthie.words import PLACES, STREETS

HOME_ZONE = "America/New_York"
PRIORITIES = ((), ("primary",), ("primary",), ("primary", "secondary"), ("primary", "inactive"))
PAST = ("Occurred", "Occurred", "No-Show", "Cancelled", "Re-Scheduled", "Late Cancellation")
COMING = (None, None, None, "Cancelled")


def patients(maker: Maker, count: int) -> None:
    """So many patients with all that surrounds them, some group appointments and blocked times."""
    ids = [maker.patient(at) for at in range(count)]
    for id_ in ids:
        for make in (_locations, _policies, _tags, _appointments, spending, _rest):
            make(maker, id_)
    for at in range(0, min(len(ids), 400), 25):
        when = maker.now + timedelta(days=at - 150)
        guests, people = ids[at : at + 4], [maker.known.staff[2]]
        if len(guests) > 1:
            maker.add("Appointment", appointment(maker.known, guests, people, when, None))
        blocked = appointment(maker.known, people, people, when, None)
        maker.add("Appointment", {**blocked, "is_blocker": True, "attendee_ids": [], "user_id": None})


def appointment(
    known: Catalogue, guests: list[str], people: list[str], at: datetime, status: str | None
) -> Row:
    """The stored fields of an appointment. A group's, with several guests, has no `user_id`."""
    group = len(guests) > 1
    return {
        "attendee_ids": guests,
        "user_id": None if group else guests[0],
        "is_group": group,
        "provider_ids": people,
        "other_party_id": people[0],
        "appointment_type_id": known.types[2] if group else known.types[int(people[0]) % 2],
        "date": at,
        "length": 45,
        "pm_status": status,
        "pm_status_changed_at": at if status else None,
        "contact_type": "Video Chat",
        "is_blocker": False,
        "organization_id": known.organization,
        "timezone_abbr": "EST",
        "confirmed": True,
        "metadata": {},
    }


def _locations(maker: Maker, id_: str) -> None:
    draw = maker.draw
    for at in range(draw.choices((0, 1, 2, 3), (5, 70, 20, 5))[0]):
        city, state, zip_ = draw.choice(PLACES)
        values: Row = {
            "user_id": id_,
            "name": ("Home", "Work", "")[at],
            "line1": f"{draw.randint(1, 999)} {draw.choice(STREETS)}",
            "line2": draw.choice((None, "", "Apt 4B")),
        }
        maker.add("Location", {**values, "city": city, "state": state, "zip": zip_, "country": "US"})


def _policies(maker: Maker, id_: str) -> None:
    draw = maker.draw
    for priority in draw.choice(PRIORITIES):
        start = date(maker.now.year - draw.randint(0, 3), draw.randint(1, 12), 1)
        ended = midnight(start.replace(year=start.year + 1), HOME_ZONE) if priority == "inactive" else None
        plan = maker.state.find("InsurancePlan", draw.choice(maker.known.plans)) or {}
        values: Row = {
            "user_id": id_,
            "priority_type": priority,
            "num": f"W{draw.randrange(10**9):09}",
            "group_num": f"{draw.randrange(10**5):05}",
            "name": plan.get("payer_name"),
            "insurance_plan_id": plan.get("id"),
            "type_string": "Commercial",
            "effective_start": midnight(start, HOME_ZONE),
            "effective_end": ended,
            "copay_value": draw.choice((0, 2000, 3500)),  # cents
            "coinsurance_value": 20,
            "holder_relationship": "self",
            "insurance_billing_method": "in_network",
        }
        maker.add("Policy", values)


def _tags(maker: Maker, id_: str) -> None:
    for tag in maker.draw.sample(maker.known.tags, maker.draw.choice((0, 0, 1, 1, 2))):
        maker.add("AppliedTag", {"user_id": id_, "tag_id": tag})


def _appointments(maker: Maker, id_: str) -> None:
    draw = maker.draw
    patient = maker.state.find("User", id_) or {}
    hour = maker.now.replace(minute=0, second=0, microsecond=0)
    for _ in range(draw.choice((0, 1, 2, 3, 4))):
        at = hour + timedelta(hours=draw.randrange(-12_000, 1_500))
        status = draw.choice(PAST if at < maker.now else COMING)
        made = appointment(maker.known, [id_], [draw.choice(maker.known.staff[1:])], at, status)
        maker.add("Appointment", {**made, "organization_id": text(patient, "organization_id")})


def _rest(maker: Maker, id_: str) -> None:
    draw, staff = maker.draw, maker.known.staff
    if draw.random() < 0.3:
        task: Row = {"client_id": id_, "content": "Call about the forms", "complete": False, "metadata": {}}
        due = maker.now + timedelta(days=draw.randint(-30, 30))
        whose: Row = {"created_by_id": staff[0], "assignee_ids": [draw.choice(staff)]}
        maker.add("Task", {**task, **whose, "priority": draw.randint(0, 2), "due_date": due})
    if draw.random() < 0.15:
        physician = draw.choice(maker.known.physicians)
        maker.add("Referral", {"user_id": id_, "referring_physician_id": physician, "metadata": None})
    if draw.random() < 0.1:
        maker.add("ClientSource", {"user_id": id_, "ref_type": "Web", "ref_source": "Search"})
    if draw.random() < 0.1:
        contact: Row = {"first_name": "Rosa", "last_name": "Foxglove", "phone_number": "617-555-0142"}
        maker.add(
            "NotificationContact", {**contact, "user_id": id_, "relationship": "Sister", "emergency": True}
        )
    if draw.random() < 0.1:
        maker.add("CourseMembership", {"user_id": id_, "course_id": "1", "course_status": "IN_PROGRESS"})
    if draw.random() < 0.05:
        units: Row = {"unit_type": "visits", "units_authorized": "12", "units_used": "3", "units_left": "9"}
        allowed: Row = {"authorization_number": f"AU{id_}", "start_on": "2026-01-01", "end_on": "2026-12-31"}
        maker.add("InsuranceAuthorizationType", {**units, **allowed, "user_id": id_})
