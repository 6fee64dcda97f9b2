"""The root fields of Query for what surrounds a patient: appointments, tags, tasks, addresses, catalogues."""

from collections.abc import Iterator

from connectors.sandbox.healthie.call import Call, RootResolver, all_of
from connectors.sandbox.healthie.connections import Connection, Keep
from connectors.sandbox.healthie.fields import INACTIVE
from connectors.sandbox.healthie.rows import Args, Row, micros, moment, read_moment, text, texts


def appointments(call: Call, args: Args) -> Connection:
    """Only future, own and active ones, blockers among them, unless told otherwise."""
    checks = [*_times(call, args), *_organizations(call, args), *_kinds(args)]
    keep = all_of(*checks, None if call.viewer.sees_all else lambda row: _seen(call, row))
    person = text(args, "user_id")
    if person is not None:
        rows = call.state.table("Appointment").owned("attendee_ids", person)
        return call.page(call.few("Appointment", rows, args, "DATE_ASC", keep), args)
    timeless = args.get("filter") == "all"
    return call.page(call.listed("Appointment", keep, args, "DATE_ASC", timeless=timeless), args)


def _times(call: Call, args: Args) -> Iterator[Keep]:
    when, now = text(args, "filter") or "future", micros(call.state.clock.now())
    if when == "future":
        yield lambda row: micros(moment(row, "date")) >= now
    elif when == "past":
        yield lambda row: micros(moment(row, "date")) < now
    start, end = args.get("startDate"), args.get("endDate")
    if start is not None:
        low = micros(read_moment(start))
        yield lambda row: micros(moment(row, "date")) >= low
    if end is not None:
        high = micros(read_moment(end))
        yield lambda row: micros(moment(row, "date")) <= high


def _organizations(call: Call, args: Args) -> Iterator[Keep]:
    me = call.viewer.user_id
    home = (call.state.find("User", me) or {}).get("organization_id")
    named = text(args, "organization_id")
    if not args.get("is_org"):
        yield lambda row: me in texts(row, "provider_ids")
    if named is not None:
        yield lambda row: row.get("organization_id") == named
    elif not args.get("include_suborganizations"):
        yield lambda row: row.get("organization_id") == home


def _kinds(args: Args) -> Iterator[Keep]:
    type_, provider = text(args, "filter_by_appointment_type_id"), text(args, "provider_id")
    types = {*texts(args, "filter_by_appointment_type_ids"), *([type_] if type_ else [])}
    people = {*texts(args, "provider_ids"), *([provider] if provider else [])}
    guests = set(texts(args, "attendee_ids"))
    if not args.get("with_all_statuses"):
        yield lambda row: row.get("pm_status") not in INACTIVE
    if args.get("include_blockers") is False:
        yield lambda row: not row.get("is_blocker")
    if types:
        yield lambda row: row.get("appointment_type_id") in types
    if people:
        yield lambda row: not people.isdisjoint(texts(row, "provider_ids"))
    if guests:
        yield lambda row: not guests.isdisjoint(texts(row, "attendee_ids"))


def _seen(call: Call, row: Row) -> bool:
    guests = (call.state.find("User", id_) for id_ in texts(row, "attendee_ids"))
    own = call.viewer.user_id in texts(row, "provider_ids")
    return call.viewer.sees_all or own or any(call.sees(guest) for guest in guests)


def appointment(call: Call, args: Args) -> Row | None:
    found = call.state.find("Appointment", text(args, "id"))
    if found is None or not _seen(call, found):
        return None
    return found if found.get("deleted_at") is None or args.get("include_deleted") else None


def applied_tags(call: Call, args: Args) -> Connection:
    """Assignments. The bounds are exclusive."""

    def checks() -> Iterator[Keep]:
        after, before = args.get("updated_after"), args.get("updated_before")
        if after is not None:
            low = micros(read_moment(after))
            yield lambda row: micros(moment(row, "updated_at")) > low
        if before is not None:
            high = micros(read_moment(before))
            yield lambda row: micros(moment(row, "updated_at")) < high
        for column in ("tag_id", "id"):
            wanted = text(args, column)
            if wanted is not None:
                yield _equals(column, wanted)
        yield lambda row: call.sees(call.state.find("User", text(row, "user_id")))

    return call.page(call.listed("AppliedTag", all_of(*checks()), args, "UNSORTED"), args)


def _equals(column: str, wanted: str) -> Keep:
    return lambda row: row.get(column) == wanted


def applied_tag(call: Call, args: Args) -> Row | None:
    found = call.state.find("AppliedTag", text(args, "id"))
    if found is None or (found.get("deleted_at") is not None and not args.get("include_deleted")):
        return None
    return found if call.sees(call.state.find("User", text(found, "user_id"))) else None


def tasks(call: Call, args: Args) -> Connection:
    """All of the practice's, or only the viewer's own where it may not see others'."""
    client = text(args, "client_id")
    keep = all_of(*_task_checks(call, args))
    if client is not None:
        rows = call.state.table("Task").owned("client_id", client)
        return call.page(call.few("Task", rows, args, "CREATED_DESC", keep), args)
    return call.page(call.listed("Task", keep, args, "CREATED_DESC"), args)


def _task_checks(call: Call, args: Args) -> Iterator[Keep]:
    me, assigned = call.viewer.user_id, set(texts(args, "assignees"))
    wanted = (text(args, "completed_status") or "").casefold()
    if not call.viewer.sees_all:
        yield lambda row: me in (row.get("created_by_id"), *texts(row, "assignee_ids"))
    if args.get("show_hidden") is False:
        yield lambda row: not row.get("hidden")
    if args.get("assigned_to_user"):
        yield lambda row: me in texts(row, "assignee_ids")
    if args.get("created_by_self"):
        yield lambda row: row.get("created_by_id") == me
    if assigned:
        yield lambda row: not assigned.isdisjoint(texts(row, "assignee_ids"))
    if wanted in ("complete", "incomplete"):
        yield lambda row: bool(row.get("complete")) == (wanted == "complete")


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
