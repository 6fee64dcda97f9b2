def decide(entry, today):
    if not entry.get("last_name"):
        return review("S2", "no_name")
    name = " ".join(part for part in [entry.get("first_name"), entry.get("last_name")] if part)
    channel = (entry.get("metadata") or {}).get("channel", MISSING)
    row = warehouse_upsert_patients(
        because=["S1"], full_name=name, email=entry.get("email", MISSING), channel=channel
    )
    return [row]
