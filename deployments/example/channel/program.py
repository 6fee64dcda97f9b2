"""The instructions as a program."""


def decide(entry, today):
    channel = (entry["client_source"] or {}).get("readable_source")
    if not channel:
        return skip("S2", "unknown_channel")
    return [healthie_set_metadata(because=["S1"], name="channel", value=channel)]
