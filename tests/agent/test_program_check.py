"""Checking a program before it runs: what a reviewer is told, line by line."""

import pytest
from pydantic import Field, create_model

from agent.agent import Decider
from agent.check import check_program, entry_stubs
from agent.gate import Gate
from agent.instructions import Instructions
from agent.plan import Plan
from agent.policy import Grant, OperationGrant, Policy
from agent.prelude import parameters
from connectors.entry import Category, EntryField
from connectors.operation import ArgumentModel, Delivery, Write
from tests.agent.desk import CATEGORIES, FIELDS, PROGRAM, WRITES, case, policy


def problems(source: str) -> list[str]:
    return check_program(source, policy("program"), WRITES, FIELDS)


def body(*lines: str) -> str:
    return "\n    ".join(["def decide(entry, today):", *lines]) + "\n"


def test_a_good_program_has_no_problems() -> None:
    assert problems(PROGRAM) == []


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        (body("return [warehouse_upsert_patients(because=['S1'], emial='x')]"), 2, "emial"),
        (body("return [warehouse_upsert_patients(full_name='x')]"), 2, "because"),
        (body("return [warehouse_upsert_patients(because=['S1'], insurance='x')]"), 2, "insurance"),
        (body("return [crm_delete_contact(because=['S1'], email='x')]"), 2, "crm_delete_contact"),
        (body("x = entry['e_mail']", "return skip('S1', 'no_name')"), 2, "e_mail"),
        (body("for policy in entry['policies']:", "    x = policy['plan']['nam']", "return []"), 3, "nam"),
        (body("x = entry['policies']['num']", "return []"), 2, "list"),
        (
            body(
                "name = entry.get('last_name')",
                "return [warehouse_upsert_patients(because=['S1'], full_name=name)]",
            ),
            3,
            "None",
        ),
        (body("return [warehouse_upsert_patients(because=['S1'], status='gone')]"), 2, "archived"),
        (body("return 'S1'"), 2, "S1"),
        (body("if entry['active']:", "    return []", "return undefined"), 4, "undefined"),
        (body("import socket", "return []"), 2, "socket"),
        (body("class Entry(dict):", "    pass", "return []"), 2, "inheritance"),
        ("LIMIT = 1 / 0\n" + body("return []"), 1, "zero"),
        ("def decide(entry, today):\n    return [\n", 2, "Python"),
        ("def decide(record):\n    return []\n", 1, "def decide(entry, today):"),
        ("async def decide(entry, today):\n    return []\n", 1, "one function"),
        (body("return []") * 2, 3, "one function"),
        ("", 1, "one function"),
    ],
)
def test_a_bad_program_is_told_line_and_reason(source: str, line: int, word: str) -> None:
    found = problems(source)

    assert found, "no problem was found"
    assert found[0].startswith(f"line {line}: ")
    assert word in found[0]
    assert all("\n" not in problem for problem in found)


def test_all_problems_are_told_at_once() -> None:
    found = problems(body("x = entry['a']", "y = entry['b']", "return [nothing()]"))

    assert [problem.split(":")[0] for problem in found] == ["line 2", "line 3", "line 4"]


def test_constants_and_missing_may_stand_outside_functions() -> None:
    source = "NOTHING = MISSING\nWORDS = ['archived']\n" + body(
        "return [warehouse_upsert_patients(because=['S1'], full_name=NOTHING)]"
    )

    assert problems(source) == []


def test_lists_and_objects_of_an_entry_are_told_apart() -> None:
    fields = (
        EntryField("visits.provider.name", "str", Category.SCHEDULE, many=True),
        EntryField("visits.at", "datetime", Category.SCHEDULE, many=True),
        EntryField("location.city", "str", Category.ADDRESS),
        EntryField("metadata", "json", Category.CUSTOM),
    )
    written = entry_stubs(fields)

    assert "'visits': list[Entry_visits]" in written
    assert "'provider': Entry_visits_provider" in written
    assert "'location': Entry_location" in written
    assert "'metadata': Any" in written


def test_arguments_that_are_no_names_are_written_as_names() -> None:
    assert parameters(["Full Name", "class", "because", "2nd", "a b", "a-b", "ok"]) == {
        "Full Name": "Full_Name",
        "class": "class_",
        "because": "because_",
        "2nd": "f_2nd",
        "a b": "a_b",
        "a-b": "a_b_",
        "ok": "ok",
    }


def test_a_program_writes_columns_with_any_name() -> None:
    columns = create_model(
        "Columns", __base__=ArgumentModel, f0=(str, Field(default="", alias="Full Name")), schema_=(str, "")
    )
    write = Write(
        "add", "Add.", columns, Delivery.BLIND, lambda items: [], lambda patient, arguments: patient
    )
    grants = {"Full Name": Grant(sources=("first_name",)), "schema_": Grant(constants=("x",))}
    granted = Policy(
        operations={"sheet_add": OperationGrant(arguments=grants)},
        sentences=("S1",),
        categories={"sheet": (Category.IDENTITY,)},
        by="program",
    )
    source = body("return [sheet_add(because=['S1'], Full_Name=entry['first_name'], schema_='x')]")
    writes = {"sheet_add": write}
    decider = Decider(
        gate=Gate(granted, writes, CATEGORIES.get),
        policy=granted,
        instructions=Instructions.parse("S1. Add.\n", source),
        writes=writes,
    )
    plan = decider.decide([case()])[0].outcome
    decider.close()

    assert check_program(source, granted, writes, FIELDS) == []
    assert isinstance(plan, Plan), plan
    assert plan.calls[0].values() == {"Full Name": "Ana", "schema_": "x"}
