"""The instructions as a program: S1 to S5. It runs in a sandbox; the functions it calls are granted ones."""


def decide(entry, today):
    if not entry["active"]:
        return [warehouse_upsert_patients(because=["S1", "S2"], status="archived")]
    if not entry["last_name"]:
        return review("S3", "no_name")
    email = entry["email"]
    return [
        warehouse_upsert_patients(
            because=["S1", "S4", "S5"],
            full_name=" ".join(part for part in [entry["first_name"], entry["last_name"]] if part),
            email=email.lower() if email else MISSING,
            phone=phone(entry["phone_number"]),
            status="active",
            next_visit=(entry["next_appt_date"] or "")[:10] or None,
        )
    ]


def phone(text):
    digits = "".join(c for c in text or "" if c in "0123456789")
    return "+1" + digits[-10:] if len(digits) in (10, 11) else MISSING
