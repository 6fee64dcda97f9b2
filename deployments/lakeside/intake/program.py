"""The routing as a program: S1 to S19. It runs in a sandbox; the functions it calls are granted ones."""

from datetime import date, timedelta

OPEN = timedelta(days=60)
KNOWN = timedelta(days=90)
ONE_DAY = timedelta(days=1)
COMMUNITY = ("Medicaid", "MassHealth")
WITHIN = {  # working days
    "Languages": 1,
    "Intake desk": 1,
    "Early Years": 2,
    "Community": 2,
    "School Age": 5,
    "Parents": 5,
    "Telehealth": 5,
}


def decide(entry, today):
    signed_up = day_of(entry["created_at"])
    if signed_up + KNOWN < today:
        return skip("S2", "long_ago")
    tags = [tag["name"] for tag in entry["active_tags"] or []]
    visits = [(day_of(one["date"]), one["pm_status"]) for one in entry["appointments"] if one["date"]]
    coming = [day for day, status in visits if day >= today and not status]
    if not entry["active"] or signed_up + OPEN < today:
        return plan(stopped("closed"))
    if coming or any(status == "Occurred" for _, status in visits):
        return plan(stopped("placed"), again_on=max(coming, default=today) + ONE_DAY if coming else None)
    if "Waitlist" in tags:
        return plan(stopped("hold"), again_on=signed_up + OPEN + ONE_DAY)
    return routed(entry, signed_up, tags)


def stopped(step):
    return [
        database_upsert_routing(
            because=["S1", {"closed": "S3", "placed": "S4", "hold": "S5"}[step], "S6"], step=step
        ),
        ringwell_upsert_callbacks(because=["S18"], to_do="stop"),
    ]


def routed(entry, signed_up, tags):
    primary = [one for one in entry["policies"] or [] if one["priority_type"] == "primary"]
    if len(primary) > 1:
        return review("S16", "two_primaries")
    phone = e164(entry["phone_number"])
    if not phone:
        return review("S19", "no_phone")
    team = team_of(entry, signed_up, tags, payer(primary))
    call_by = working_days(signed_up, WITHIN[team])
    step = "call" if entry["has_completed_intake_forms"] else "forms"
    calls = [
        database_upsert_routing(
            because=[
                "S1",
                "S6",
                "S7",
                {
                    "Languages": "S8",
                    "Intake desk": "S9",
                    "Early Years": "S10",
                    "Community": "S11",
                    "School Age": "S12",
                    "Parents": "S13",
                    "Telehealth": "S14",
                }[team],
                "S15",
            ],
            step=step,
            team=team,
            call_by=call_by,
        ),
        ringwell_upsert_callbacks(
            because=["S17"],
            to_do="call" if step == "call" else "text the forms",
            first_name=entry["first_name"],
            phone=phone,
            language=entry["preferred_language_code"],
            team=team,
            call_by=call_by,
        ),
    ]
    return plan(calls, again_on=signed_up + OPEN + ONE_DAY)


def team_of(entry, signed_up, tags, payer):
    """The first line of the table that fits."""
    state = (entry["location"] or {}).get("state")
    if "Needs interpreter" in tags:
        return "Languages"
    if not entry["dob"] or not state:
        return "Intake desk"
    if state != "MA":
        return "Telehealth"
    age = years(date.fromisoformat(entry["dob"]), signed_up)
    if age < 6:
        return "Early Years"
    if age >= 18:
        return "Parents"
    return "Community" if payer in COMMUNITY else "School Age"


def payer(policies):
    plans = [policy["insurance_plan"] for policy in policies]
    return plans[0]["payer_name"] if plans and plans[0] else None


def day_of(moment):
    return date.fromisoformat(local_date(moment))


def years(born, on):
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def working_days(start, days):
    """So many working days after a day."""
    day = start
    while days:
        day += ONE_DAY
        days -= day.weekday() < 5
    return day
