"""The root fields of Query for what surrounds a patient: appointments, tags, tasks, addresses, catalogues."""

from connectors.sandbox.healthie.call import Call, RootResolver
from connectors.sandbox.healthie.connections import Connection
from connectors.sandbox.healthie.fields import ACTIVE_ONLY_AFTER
from connectors.sandbox.healthie.rows import Args, Row, micros, moment, read_moment, text, texts


def appointments(call: Call, args: Args) -> Connection:
    """Only future, own and active ones, blockers among them, unless told otherwise."""

    def keep(row: Row) -> bool:
        return (
            _in_time(call, row, args)
            and _of_org(call, row, args)
            and _of_kind(row, args)
            and _seen(call, row)
        )

    person = text(args, "user_id")
    if person is not None:
        rows = call.state.table("Appointment").owned("attendee_ids", person)
        return call.page(call.few("Appointment", rows, args, "DATE_ASC", keep), args)
    # Whether a row lies in the future changes without a change of the row: such a count is not remembered.
    timeless = args.get("filter") == "all" and not args.get("startDate") and not args.get("endDate")
    signature = repr(sorted(args.items())) + call.viewer.user_id if timeless else None
    return call.page(call.listed("Appointment", keep, args, "DATE_ASC", signature=signature), args)


def _in_time(call: Call, row: Row, args: Args) -> bool:
    at, when = micros(moment(row, "date")), text(args, "filter") or "future"
    now = micros(call.state.clock.now())
    if (when == "future" and at < now) or (when == "past" and at >= now):
        return False
    start, end = args.get("startDate"), args.get("endDate")
    return (start is None or at >= micros(read_moment(start))) and (
        end is None or at <= micros(read_moment(end))
    )


def _of_org(call: Call, row: Row, args: Args) -> bool:
    if not args.get("is_org") and call.viewer.user_id not in texts(row, "provider_ids"):
        return False
    home = (call.state.find("User", call.viewer.user_id) or {}).get("organization_id")
    if text(args, "organization_id") is not None:
        return row.get("organization_id") == text(args, "organization_id")
    return bool(args.get("include_suborganizations")) or row.get("organization_id") == home


def _of_kind(row: Row, args: Args) -> bool:
    types = texts(args, "filter_by_appointment_type_ids") + texts(
        {"one": [args.get("filter_by_appointment_type_id")]}, "one"
    )
    people = texts(args, "provider_ids") + texts({"one": [args.get("provider_id")]}, "one")
    guests = texts(args, "attendee_ids")
    return (
        (bool(args.get("with_all_statuses")) or row.get("pm_status") not in ACTIVE_ONLY_AFTER)
        and (args.get("include_blockers") is not False or not row.get("is_blocker"))
        and (not types or row.get("appointment_type_id") in types)
        and (not people or any(id_ in people for id_ in texts(row, "provider_ids")))
        and (not guests or any(id_ in guests for id_ in texts(row, "attendee_ids")))
    )


def _seen(call: Call, row: Row) -> bool:
    if call.viewer.sees_all:
        return True
    guests = (call.state.find("User", id_) for id_ in texts(row, "attendee_ids"))
    return call.viewer.user_id in texts(row, "provider_ids") or any(call.sees(guest) for guest in guests)


def appointment(call: Call, args: Args) -> Row | None:
    found = call.state.find("Appointment", text(args, "id"))
    if found is None or not _seen(call, found):
        return None
    return found if found.get("deleted_at") is None or args.get("include_deleted") else None


def applied_tags(call: Call, args: Args) -> Connection:
    after, before = args.get("updated_after"), args.get("updated_before")
    low = micros(read_moment(after)) if after is not None else None
    high = micros(read_moment(before)) if before is not None else None
    tag, one = text(args, "tag_id"), text(args, "id")

    def keep(row: Row) -> bool:
        at = micros(moment(row, "updated_at"))
        return (
            (low is None or at > low)
            and (high is None or at < high)
            and (tag is None or row.get("tag_id") == tag)
            and (one is None or row["id"] == one)
            and call.sees(call.state.find("User", text(row, "user_id")))
        )

    signature = (low, high, tag, one, call.viewer.user_id)
    return call.page(call.listed("AppliedTag", keep, args, "UNSORTED", signature=signature), args)


def applied_tag(call: Call, args: Args) -> Row | None:
    found = call.state.find("AppliedTag", text(args, "id"))
    if found is None or (found.get("deleted_at") is not None and not args.get("include_deleted")):
        return None
    return found if call.sees(call.state.find("User", text(found, "user_id"))) else None


def tasks(call: Call, args: Args) -> Connection:
    """All of the practice's, or only the viewer's own where it may not see others'."""
    client, me = text(args, "client_id"), call.viewer.user_id
    wanted, helpers = (text(args, "completed_status") or "").casefold(), texts(args, "assignees")

    def keep(row: Row) -> bool:
        assigned = texts(row, "assignee_ids")
        return (
            (call.viewer.sees_all or me in (row.get("created_by_id"), *assigned))
            and (args.get("show_hidden") is not False or not row.get("hidden"))
            and (not args.get("assigned_to_user") or me in assigned)
            and (not args.get("created_by_self") or row.get("created_by_id") == me)
            and (not helpers or any(id_ in helpers for id_ in assigned))
            and (
                wanted not in ("complete", "incomplete")
                or bool(row.get("complete")) == (wanted == "complete")
            )
        )

    if client is not None:
        return call.page(
            call.few("Task", call.state.table("Task").owned("client_id", client), args, "CREATED_DESC", keep),
            args,
        )
    return call.page(call.listed("Task", keep, args, "CREATED_DESC"), args)


def locations(call: Call, args: Args) -> Connection:
    """A person's addresses; without a person the practice's own. No order can be asked for."""
    owner = text(args, "user_id") or call.viewer.user_id
    if call.state.staff(owner) is None and call.patient(owner) is None:
        return call.none()
    named = args.get("has_name")
    rows = (
        row for row in call.state.table("Location").owned("user_id", owner) if not named or row.get("name")
    )
    return call.page(call.few("Location", rows, args, "ID_ASC"), args)


def by_keywords(kind: str, order: str, *names: str) -> RootResolver:
    """A catalogue that is searched by words in these fields and narrowed by `ids`."""

    def resolve(call: Call, args: Args) -> Connection:
        words = (text(args, "keywords") or "").casefold().split()
        ids = texts(args, "ids")

        def keep(row: Row) -> bool:
            found = " ".join(text(row, name) or "" for name in names).casefold()
            return (not ids or row["id"] in ids) and all(word in found for word in words)

        return call.page(call.listed(kind, keep, args, order), args)

    return resolve


def of_patient(kind: str, column: str) -> RootResolver:
    """One row by id, if the key sees its patient."""

    def resolve(call: Call, args: Args) -> Row | None:
        found = call.state.find(kind, text(args, "id"))
        if found is None or found.get("deleted_at") is not None:
            return None
        owner = call.state.find("User", text(found, column))
        return found if owner is not None and (not owner.get("is_patient") or call.sees(owner)) else None

    return resolve
