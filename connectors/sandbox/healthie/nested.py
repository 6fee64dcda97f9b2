"""Addresses, policies and sources that ride on updateClient: made, changed or destroyed by id."""

from connectors.sandbox.healthie.call import Call
from connectors.sandbox.healthie.rows import Row, text

UNSTORED = ("id", "_destroy", "holder_location", "payer_location", "insurance_plan")


def apply_locations(call: Call, patient: Row, asked: list[Row]) -> list[Row]:
    return [failure for one in asked for failure in _apply(call, "Location", patient, one)]


def apply_policies(call: Call, patient: Row, asked: list[Row]) -> list[Row]:
    """Rails' nested attributes: what is not named survives, unless the setting says otherwise."""
    failures = [failure for one in asked for failure in _policy(call, patient, one)]
    if not call.state.settings.omitted_policies_survive:
        named = {text(one, "id") for one in asked}
        before = [row for row in call.of_patient("Policy", "user_id", patient) if row["id"] not in named]
        for row in before[: len(before) - sum(1 for one in asked if not text(one, "id"))]:
            call.state.delete("Policy", row, soft=False)
    return failures


def apply_source(call: Call, patient: Row, asked: Row) -> None:
    known = call.of_patient("ClientSource", "user_id", patient)
    values = {
        name: value for name, value in asked.items() if name in ("ref_type", "ref_source", "ref_source_other")
    }
    if known:
        call.state.update("ClientSource", known[0], values)
    else:
        call.state.insert("ClientSource", {**values, "user_id": patient["id"]})


def _policy(call: Call, patient: Row, asked: Row) -> list[Row]:
    plan = text(asked, "insurance_plan_id")
    if plan is not None and call.state.find("InsurancePlan", plan) is None:
        return [{"field": "policies.insurance_plan", "message": "Insurance plan not found"}]
    return _apply(call, "Policy", patient, asked)


def _apply(call: Call, kind: str, patient: Row, asked: Row) -> list[Row]:
    id_ = text(asked, "id")
    values = {name: value for name, value in asked.items() if name not in UNSTORED}
    if id_ is None:
        call.state.insert(kind, {**values, "user_id": patient["id"]})
        return []
    row = call.state.find(kind, id_)
    if row is None or row.get("user_id") != patient["id"]:
        return [{"field": "base", "message": f"Couldn't find {kind} with ID={id_}"}]
    if asked.get("_destroy"):
        call.state.delete(kind, row, soft=False)
    else:
        call.state.update(kind, row, values)
    return []
