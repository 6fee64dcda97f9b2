"""What the front desk learned: S1 to S5. It runs in a sandbox; the functions it calls are granted ones."""


def decide(entry, today):
    email, phone, mobile = entry["email"], entry["phone"], entry["mobilephone"]
    if not (email or phone or mobile):
        return skip("S5", "nothing_there")
    return [
        healthie_update_client(
            because=["S1", "S2", "S3", "S4", "S5"],
            email=email or MISSING,
            phone_number=phone or MISSING,
            additional_phone_number=mobile or MISSING,
        )
    ]
