"""The root fields of Query for patients, staff and the catalogue: what Healthie lists, with its defaults."""

from collections.abc import Iterator

from connectors.sandbox.healthie.call import Call, all_of
from connectors.sandbox.healthie.connections import Connection, Keep
from connectors.sandbox.healthie.rows import Args, Row, text, texts

SEARCHED = ("id", "first_name", "last_name", "legal_name", "email", "dob", "record_identifier", "npi")


def users(call: Call, args: Args) -> Connection:
    """Patients. Restricted ones outside the care team are silently not there."""
    if text(args, "keywords") is None and not args.get("show_all_by_default") and not args.get("ids"):
        return call.none()
    keep = all_of(_is_patient, call.visible, _status(call, args), *_belonging(call, args), _matching(args))
    named = texts(args, "ids") + ([id_] if (id_ := text(args, "id")) else [])
    if named:
        rows = (row for id_ in dict.fromkeys(named) if (row := call.state.find("User", id_)) is not None)
        return call.page(call.few("User", rows, args, "LAST_NAME_ASC", keep), args)
    return call.page(call.listed("User", keep, args, "LAST_NAME_ASC"), args)


def _is_patient(row: Row) -> bool:
    return bool(row.get("is_patient"))


def _status(call: Call, args: Args) -> Keep | None:
    wanted = (text(args, "active_status") or "").casefold()
    if args.get("ids") and not call.state.settings.archived_in_ids:
        wanted = "active"
    if wanted not in ("active", "archived"):
        return None
    return lambda row: bool(row.get("active")) == (wanted == "active")


def _belonging(call: Call, args: Args) -> Iterator[Keep]:
    """The checks of group, care team, tags and organisation that were asked for."""
    group, provider, tagged = text(args, "group_id"), text(args, "provider_id"), texts(args, "tag_ids")
    if group is not None:
        yield lambda row: row.get("user_group_id") == group
    if provider is not None:
        yield lambda row: provider in (row.get("dietitian_id"), *texts(row, "other_provider_ids"))
    if args.get("limited_to_provider"):
        yield call.viewer.in_care
    if tagged:
        yield lambda row: any(
            one["tag_id"] in tagged for one in call.of_patient("AppliedTag", "user_id", row)
        )
    if args.get("include_suborg_patients") is False:
        home = (call.state.find("User", call.viewer.user_id) or {}).get("organization_id")
        yield lambda row: row.get("organization_id") == home


def _matching(args: Args) -> Keep | None:
    """All words of `keywords` must be found, in any of the searched fields."""
    words = (text(args, "keywords") or "").casefold().split()
    if not words:
        return None
    return lambda row: _holds(_searched(row), words)


def _holds(found: str, words: list[str]) -> bool:
    return all(word in found for word in words)


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
    keep = all_of(lambda row: not row.get("is_patient"), _matching(args))
    return call.page(call.listed("User", keep, args, "LAST_NAME_ASC"), args)


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
