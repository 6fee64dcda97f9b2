"""The accounts as a program: S1 to S16. It runs in a sandbox; the functions it calls are granted ones."""

from datetime import date, timedelta

REMINDER_FROM = timedelta(days=15)
CALL_FROM = timedelta(days=45)
SMALL = 500  # cents
CHANNELS = ["friend", "doctor", "online", "event", "unclear"]


def decide(entry, today):
    invoices = entry["requested_payments"] or []
    selections = entry["user_package_selections"] or []
    if not invoices and not selections:
        return skip("S2", "no_account")
    packages = {
        one["offering"]["name"] for one in selections if one["offering"] and not one["offering"]["archived"]
    }
    if len(packages) > 1:
        return review(["S4", "S5"], "two_packages")
    if any((one["currency"] or "usd").lower() != "usd" for one in invoices):
        return review("S7", "currency")

    open_cents = sum(one["balance_due_minor"] or 0 for one in invoices) - (entry["credit_balance_minor"] or 0)
    since = owed_since(invoices)
    stage, again_on = stage_of(entry, open_cents, since, today)
    row = books_upsert_accounts(
        because=[
            "S1",
            "S3",
            "S4",
            "S6",
            "S8",
            {
                "waived": "S9",
                "clear": "S10",
                "waiting": "S11",
                "due": "S12",
                "call": "S13",
                "reminder": "S14",
            }[stage],
            "S15",
            "S16",
        ],
        name=" ".join(part.strip() for part in (entry["first_name"], entry["last_name"]) if part),
        email=lower(entry["email"]) or None,
        package=packages.pop() if packages else None,
        open_cents=open_cents,
        owed_since=since,
        stage=stage,
        channel=channel(entry["client_source"] or {}),
    )
    return plan([row], again_on=again_on)


def channel(source):
    """Asked only where there is something to judge; otherwise the row's own is left as it is."""
    box = source.get("ref_source_other")
    if not box:
        return MISSING
    return judge("S16", "How did this client hear of the practice?", CHANNELS, {"ref_source_other": box})


def owed_since(invoices):
    days = [day_of(one["created_at"]) for one in invoices if one["balance_due_minor"]]
    return min(days, default=None)


def day_of(moment):
    return date.fromisoformat(local_date(moment))


def stage_of(entry, open_cents, since, today):
    """The stage, and the day on which it may become another one."""
    if (entry["user_group"] or {}).get("name") == "Hardship":
        return "waived", None
    if open_cents < SMALL or since is None:
        return "clear", None
    if any(claim["status"] == "SENT" for claim in entry["cms1500s"] or []):
        return "waiting", None
    if today < since + REMINDER_FROM:
        return "due", since + REMINDER_FROM
    if today < since + CALL_FROM:
        return "reminder", since + CALL_FROM
    vip = any(tag["name"] == "VIP" for tag in entry["active_tags"] or [])
    return ("reminder" if vip else "call"), None
