def decide(entry, today):
    if not entry["active"]:
        return skip("S2", "archived")
    name = " ".join(part for part in [entry.get("first_name"), entry.get("last_name")] if part)
    last = entry["last_name"]
    return [
        warehouse_upsert_patients(because=["S1"], full_name=name, email=entry.get("email", MISSING)),
        probe_keyed_charge(because=["S1"], amount=1250, memo=last),
        probe_upsert_contact(because=["S1"], last_name=last, email=entry.get("email", MISSING)),
        probe_create_order(because=["S1"], product=last),
        probe_send_event(because=["S1"], name=last),
        healthie_set_metadata(because=["S1"], name="surname", value=last),
    ]
