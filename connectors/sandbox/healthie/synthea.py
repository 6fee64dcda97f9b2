"""Synthea: patients of its CSV files (patients, payers, payer_transitions, providers) as a practice's own."""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from connectors.sandbox.healthie.rows import Row, midnight
from connectors.sandbox.healthie.surroundings import HOME_ZONE
from connectors.sandbox.healthie.synthetic import Maker

STATES = {"Massachusetts": "MA"}
SEX = {"M": "Male", "F": "Female"}
OPEN_ENDED = 2020  # Synthea's last simulated year: a policy that ends there is still running


def load_synthea(maker: Maker, folder: Path) -> list[str]:
    """Every patient of the folder, the dead ones archived; their payers become policies."""
    plans = _plans(maker, folder)
    staff = _staff(maker, folder)
    policies: dict[str, list[dict[str, str]]] = {}
    for line in _lines(folder / "payer_transitions.csv"):
        policies.setdefault(line["PATIENT"], []).append(line)
    ids = list[str]()
    for at, line in enumerate(_lines(folder / "patients.csv")):
        ids.append(_patient(maker, at, line, staff))
        _policies(maker, ids[-1], policies.get(line["Id"], []), plans)
    return ids


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _plans(maker: Maker, folder: Path) -> dict[str, Row]:
    return {
        line["Id"]: maker.state.insert(
            "InsurancePlan",
            {"payer_name": line["NAME"], "payer_id": f"SYN{at:02}", "is_custom": False},
        )
        for at, line in enumerate(_lines(folder / "payers.csv"))
        if line["NAME"] != "NO_INSURANCE"
    }


def _staff(maker: Maker, folder: Path) -> list[str]:
    ids = list[str]()
    for at, line in enumerate(_lines(folder / "providers.csv")):
        first, _, last = line["NAME"].partition(" ")
        person: Row = {
            "first_name": first,
            "last_name": last,
            "email": f"synthea{at}@example.com",
            "active": True,
        }
        place: Row = {"organization_id": maker.known.organization, "timezone": HOME_ZONE, "is_patient": False}
        ids.append(str(maker.state.insert("User", {**person, **place})["id"]))
    return ids


def _patient(maker: Maker, at: int, line: dict[str, str], staff: list[str]) -> str:
    first = line["FIRST"].split(" ")[0]
    died = line["DEATHDATE"]
    gone = midnight(died[:10], HOME_ZONE) if died else None
    row = maker.add(
        "User",
        {
            "first_name": line["FIRST"],
            "last_name": line["LAST"],
            "legal_name": first,
            "is_patient": True,
            "email": f"synthea.patient.{at}@example.com",
            "phone_number": f"617-555-01{at % 100:02}",
            "dob": date.fromisoformat(line["BIRTHDATE"]),
            "sex": SEX[line["GENDER"]],
            "gender": SEX[line["GENDER"]],
            "active": not died,
            "archived_at": gone,
            "record_identifier": line["Id"],
            "timezone": HOME_ZONE,
            "dietitian_id": staff[at % len(staff)],
            "organization_id": maker.known.organization,
            "user_group_id": maker.known.groups[at % len(maker.known.groups)],
            "other_provider_ids": [],
        },
    )
    id_ = str(row["id"])
    maker.add("Location", {"user_id": id_, **_address(line)})
    return id_


def _address(line: dict[str, str]) -> Row:
    return {
        "name": "Home",
        "line1": line["ADDRESS"],
        "city": line["CITY"],
        "state": STATES.get(line["STATE"], line["STATE"]),
        "zip": line["ZIP"],
        "country": "US",
    }


def _policies(maker: Maker, id_: str, lines: list[dict[str, str]], plans: dict[str, Row]) -> None:
    """The payers a patient had: the last one primary, earlier ones inactive."""
    insured = [line for line in lines if line["PAYER"] in plans]
    for at, line in enumerate(insured):
        plan, last = plans[line["PAYER"]], at == len(insured) - 1
        start, end = date(int(line["START_YEAR"]), 1, 1), date(int(line["END_YEAR"]), 12, 31)
        running = last and end.year >= OPEN_ENDED
        maker.add(
            "Policy",
            {
                **{
                    "user_id": id_,
                    "insurance_plan_id": plan["id"],
                    "name": plan["payer_name"],
                    "num": f"S{id_}{at:02}",
                },
                **{
                    "priority_type": "primary" if running else "inactive",
                    "effective_start": midnight(start, HOME_ZONE),
                },
                **{"effective_end": None if running else midnight(end + timedelta(days=1), HOME_ZONE)},
                "holder_relationship": "self" if line["OWNERSHIP"] == "Self" else "other",
            },
        )
