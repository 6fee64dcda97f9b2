"""The root fields of Query for money and claims. A key that may not see all of it gets less, not an error."""

from collections.abc import Iterable

from connectors.sandbox.healthie.call import Call
from connectors.sandbox.healthie.connections import Connection, Keep
from connectors.sandbox.healthie.rows import Args, Row, micros, moment, read_moment, text, texts


def billing_items(call: Call, args: Args) -> Connection:
    client = text(args, "client_id")
    provider = text(args, "provider_id")
    states = [
        one.upper()
        for one in texts(args, "status") + ([text(args, "state")] if text(args, "state") else [])
        if one
    ]
    start, end = args.get("created_at_start"), args.get("created_at_end")

    def keep(row: Row) -> bool:
        made = micros(moment(row, "created_at"))
        return (
            _billed(call, text(row, "recipient_id"))
            and (provider is None or row.get("recipient_id") == provider)
            and (not states or row.get("state") in states)
            and (start is None or made >= micros(read_moment(start)))
            and (end is None or made <= micros(read_moment(end)))
        )

    rows = call.state.table("BillingItem").owned("sender_id", client) if client else None
    return _money(call, "BillingItem", rows, args, keep)


def requested_payments(call: Call, args: Args) -> Connection:
    """Invoices. `sender_id` matches the sender or the recipient, as documented."""
    person, wanted = text(args, "sender_id"), (text(args, "status_filter") or "").casefold()

    def keep(row: Row) -> bool:
        status = (text(row, "status") or "").casefold()
        return (
            _billed(call, text(row, "sender_id"))
            and (not wanted or status == wanted)
            and (not args.get("only_unpaid") or status != "paid")
        )

    table = call.state.table("RequestedPayment")
    rows = None
    if person is not None:
        both = [*table.owned("sender_id", person), *table.owned("recipient_id", person)]
        rows = list({str(row["id"]): row for row in both}.values())
    return _money(call, "RequestedPayment", rows, args, keep)


def cms1500s(call: Call, args: Args) -> Connection:
    client, status, provider = text(args, "client_id"), text(args, "status"), text(args, "provider_id")

    def keep(row: Row) -> bool:
        return (
            call.viewer.sees_all
            and (status is None or row.get("status") == status)
            and (provider is None or row.get("dietitian_id") == provider)
        )

    rows = call.state.table("Cms1500").owned("patient_id", client) if client else None
    return _money(call, "Cms1500", rows, args, keep)


def super_bills(call: Call, args: Args) -> Connection:
    client, status = text(args, "client_id"), text(args, "status")

    def keep(row: Row) -> bool:
        return call.viewer.sees_all and (status is None or row.get("status") == status)

    rows = call.state.table("SuperBill").owned("patient_id", client) if client else None
    return _money(call, "SuperBill", rows, args, keep)


def user_package_selections(call: Call, args: Args) -> Connection:
    person, offering = text(args, "user_id"), text(args, "offering_id")

    def keep(row: Row) -> bool:
        seen = call.sees(call.state.find("User", text(row, "user_id")))
        return seen and (offering is None or row.get("offering_id") == offering)

    rows = call.state.table("UserPackageSelection").owned("user_id", person) if person else None
    return _money(call, "UserPackageSelection", rows, args, keep)


def recurring_payments(call: Call, args: Args) -> Connection:
    """Of one patient. Only those going on, unless `active_status` says otherwise."""
    wanted = text(args, "active_status")

    def keep(row: Row) -> bool:
        over = bool(row.get("is_canceled"))
        return {"active": not over, "inactive": over, "canceled": over}.get(wanted or "all", True)

    person = call.patient(text(args, "user_id"))
    rows = call.of_patient("RecurringPayment", "sender_id", person) if person else []
    return _money(call, "RecurringPayment", rows, args, keep)


def insurance_authorization(call: Call, args: Args) -> Row | None:
    found = call.state.find("InsuranceAuthorizationType", text(args, "id"))
    client = call.patient(text(args, "client_id") or text(found or {}, "user_id"))
    if client is None:
        return None
    return found or next(iter(call.of_patient("InsuranceAuthorizationType", "user_id", client)), None)


def _billed(call: Call, provider: str | None) -> bool:
    return call.viewer.sees_all or provider == call.viewer.user_id


def _money(call: Call, kind: str, rows: Iterable[Row] | None, args: Args, keep: Keep) -> Connection:
    if rows is not None:
        return call.page(call.few(kind, rows, args, "CREATED_AT_DESC", keep), args, default=20)
    return call.page(call.listed(kind, keep, args, "CREATED_AT_DESC"), args, default=20)
