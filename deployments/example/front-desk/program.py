"""The instructions as a program."""


def decide(entry, today):
    if not entry["active"]:
        return skip("S2", "archived")
    name = " ".join(part for part in [entry["first_name"], entry["last_name"]] if part)
    return [desk_upsert_list(because=["S1"], name=name, email=entry["email"])]
