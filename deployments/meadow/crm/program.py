"""Patients as contacts: S1 to S8. It runs in a sandbox; the functions it calls are granted ones."""


def decide(entry, today):
    if not entry["last_name"]:
        return review("S2", "no_name")
    return [
        hubspot_upsert_contacts(
            because=["S1", "S3", "S4", "S5", "S6", "S7", "S8"],
            firstname=entry["first_name"] or MISSING,
            lastname=entry["last_name"],
            email=lower(entry["email"]) or MISSING,
            phone=entry["phone_number"] or MISSING,
            mobilephone=entry["additional_phone_number"] or MISSING,
            healthie_status="active" if entry["active"] else "archived",
        )
    ]
