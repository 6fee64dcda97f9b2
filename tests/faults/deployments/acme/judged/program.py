"""S2 is judged: by the model that integration.yaml names, or by a person."""


def decide(entry, today):
    if not entry["active"]:
        return skip("S3", "archived")
    words = (entry.get("metadata") or {}).get("channel", MISSING)
    priority = judge(
        "S2",
        "Do these words sound like an emergency?",
        ["high", "low"],
        about={"words": words, "name": entry["last_name"]},
    )
    name = join_space(entry["first_name"], entry["last_name"])
    return [warehouse_upsert_patients(because=["S1", "S2"], full_name=name, priority=priority)]
