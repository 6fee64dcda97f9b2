"""The root fields of Query for patients, staff and the catalogue: what Healthie lists, with its defaults."""

from connectors.sandbox.healthie.call import Call
from connectors.sandbox.healthie.connections import Connection, Keep
from connectors.sandbox.healthie.rows import Args, Row, text, texts

SEARCHED = ("id", "first_name", "last_name", "legal_name", "email", "dob", "record_identifier", "npi")


def users(call: Call, args: Args) -> Connection:
    """Patients. Restricted ones outside the care team are silently not there."""
    if text(args, "keywords") is None and not args.get("show_all_by_default") and not args.get("ids"):
        return call.none()
    named = texts(args, "ids") + ([id_] if (id_ := text(args, "id")) else [])
    words = (text(args, "keywords") or "").casefold().split()

    def keep(row: Row) -> bool:
        return (
            bool(row.get("is_patient"))
            and call.sees(row)
            and _has_status(call, row, args)
            and _is_of(call, row, args)
            and all(word in _searched(row) for word in words)
        )

    if named:
        rows = (row for id_ in dict.fromkeys(named) if (row := call.state.find("User", id_)) is not None)
        return call.page(call.few("User", rows, args, "LAST_NAME_ASC", keep), args)
    signature = repr([(k, v) for k, v in sorted(args.items()) if k not in PAGING]) + call.viewer.user_id
    return call.page(call.listed("User", keep, args, "LAST_NAME_ASC", signature=signature), args)


PAGING = ("first", "last", "after", "before", "order_by")


def _has_status(call: Call, row: Row, args: Args) -> bool:
    wanted = (text(args, "active_status") or "").casefold()
    if args.get("ids") and not call.state.settings.archived_in_ids and not row.get("active"):
        return False
    return wanted not in ("active", "archived") or bool(row.get("active")) == (wanted == "active")


def _is_of(call: Call, row: Row, args: Args) -> bool:
    group, provider = text(args, "group_id"), text(args, "provider_id")
    care = [row.get("dietitian_id"), *texts(row, "other_provider_ids")]
    home = call.state.find("User", call.viewer.user_id) or {}
    tags = texts(args, "tag_ids")
    return (
        (group is None or row.get("user_group_id") == group)
        and (provider is None or provider in care)
        and (not args.get("limited_to_provider") or call.viewer.in_care(row))
        and (
            args.get("include_suborg_patients") is not False
            or row["organization_id"] == home["organization_id"]
        )
        and (
            not tags
            or any(one.get("tag_id") in tags for one in call.of_patient("AppliedTag", "user_id", row))
        )
    )


def _searched(row: Row) -> str:
    return " ".join(str(row[name]) for name in SEARCHED if row.get(name)).casefold()


def user(call: Call, args: Args) -> Row | None:
    """One person. Reading a patient marks its notifications seen for the key's user, unless told not to."""
    found = call.patient(text(args, "id")) or call.state.staff(text(args, "id") or "")
    if found is None and args.get("or_current_user"):
        return current_user(call, args)
    if found is not None and args.get("clear_notifs"):
        call.state.unseen.get(call.viewer.user_id, {}).pop(str(found["id"]), None)
    return found


def current_user(call: Call, _: Args) -> Row | None:
    return call.state.find("User", call.viewer.user_id)


def organization_members(call: Call, args: Args) -> Connection:
    words = (text(args, "keywords") or "").casefold().split()

    def keep(row: Row) -> bool:
        return not row.get("is_patient") and all(word in _searched(row) for word in words)

    return call.page(
        call.listed("User", keep, args, "LAST_NAME_ASC", signature=("staff", tuple(words))), args
    )


def organization(call: Call, args: Args) -> Row | None:
    own = current_user(call, args) or {}
    return call.state.find("Organization", text(args, "id") or text(own, "organization_id"))


def tags(call: Call, args: Args) -> list[Row]:
    listing = call.few("Tag", call.state.table("Tag").rows.values(), args, "NAME_ASC", _named(args))
    return [row for _, _, row in listing.entries if listing.keep(row)]


def tags_paginated(call: Call, args: Args) -> Connection:
    return call.page(call.listed("Tag", _named(args), args, "NAME_ASC"), args)


def _named(args: Args) -> Keep:
    ids, owner = texts(args, "ids"), text(args, "user_id")
    return lambda row: (not ids or row["id"] in ids) and (owner is None or row.get("user_id") == owner)
