"""Declared transforms in a program: the same implementation as after a handle, called by name."""

from typing import Any

import pytest
from pydantic import JsonValue

from agent.check import check_program
from agent.plan import Plan, Refused
from agent.policy import Grant, OperationGrant
from agent.transforms import TRANSFORMS
from tests.agent.desk import ANA, FIELDS, WRITES, by_program, case, policy

GRANT = OperationGrant(
    arguments={
        "full_name": Grant(
            sources=("first_name", "last_name"), transforms=("join_space", "upper"), because=("S1",)
        ),
        "email": Grant(sources=("email",), transforms=("lower",)),
        "born": Grant(sources=("dob",), transforms=("iso_date",)),
        "insurance": Grant(sources=("phone", "dob"), transforms=("e164", "age_band")),
    }
)


def decided(expression: str, entry: dict[str, JsonValue] | None = None, argument: str = "email") -> Any:
    """What a program writes that gives this expression to an argument, or why it writes nothing."""
    call = f"warehouse_upsert_patients(because=['S1'], {argument}={expression})"
    decider = by_program(f"def decide(entry, today):\n    return [{call}]\n", warehouse_upsert_patients=GRANT)
    plan = decider.decide([case(ANA if entry is None else entry)])[0].outcome
    decider.close()
    return plan.calls[0].arguments.get(argument) if isinstance(plan, Plan) else plan


def test_a_transforms_value_has_its_leaf_and_transform_as_source() -> None:
    argument = decided("lower(entry['email'])", {**ANA, "email": "ANA@Example.com"})

    assert argument is not None
    assert (argument.value, argument.source.kind) == ("ana@example.com", "transform")
    assert argument.source.transforms == ("lower",)


def test_a_join_has_all_of_its_leaves_as_source() -> None:
    argument = decided("upper(join_space(entry['first_name'], entry['last_name']))", argument="full_name")

    assert argument.value == "ANA SILVA-EXAMPLE"
    assert argument.source.paths == ("first_name", "last_name")
    assert argument.source.transforms == ("join_space", "upper")


@pytest.mark.parametrize(
    ("expression", "argument", "value"),
    [
        ("e164(entry['phone'])", "insurance", "+15125550142"),
        ("age_band(entry['dob'])", "insurance", "30-39"),
        ("join_space(entry['first_name'], entry.get('nick', MISSING), None, entry['last_name'])", "full_name",
         "Ana Silva-Example"),
        ("iso_date(date.fromisoformat(entry['dob']))", "born", "1990-04-02"),
    ],
)  # fmt: skip
def test_each_gives_what_the_gate_finds(expression: str, argument: str, value: JsonValue) -> None:
    found = decided(expression, argument=argument)

    assert found.value == value


@pytest.mark.parametrize(
    ("expression", "entry", "value"),
    [
        ("lower(entry['email'])", {"email": None}, None),
        ("lower(entry['email'])", {"email": ""}, ""),
        ("lower(entry.get('email'))", {"email": None}, None),
    ],
)
def test_null_and_empty_stay(expression: str, entry: dict[str, JsonValue], value: JsonValue) -> None:
    assert decided(expression, entry).value == value


@pytest.mark.parametrize(
    "expression", ["lower(entry.get('email', MISSING))", "lower(MISSING)", "strip(lower(MISSING))"]
)
def test_missing_stays_missing_and_blanks_nothing(expression: str) -> None:
    assert decided(expression, {"id": "1"}) is None


@pytest.mark.parametrize(
    "expression",
    [
        "e164('none')",
        "lower(7)",
        "year(entry['email'])",
        "lower('a', 'b')",
        "lower(text='a')",
        "lower()",
        "lower({1: 2}[1])",
    ],
)
def test_what_cannot_be_read_gives_none(expression: str) -> None:
    source = f"def decide(entry, today):\n    return skip('S3', 'no_name') if {expression} is None else []\n"
    decider = by_program(source)
    plan = decider.decide([case()])[0].outcome
    decider.close()

    assert plan == Plan(kind="skip", because=("S3",), reason="no_name")


def test_a_program_may_give_the_name_to_a_function_of_its_own() -> None:
    source = """\
import json
def lower(text):
    return "x" + text.lower()
def decide(entry, today):
    year = json.dumps(7)
    return skip("S3", "no_name") if (lower("A"), year, upper("a")) == ("xa", "7", "A") else []
"""
    decider = by_program(source)
    plan = decider.decide([case()])[0].outcome
    decider.close()

    assert isinstance(plan, Plan)
    assert check_program(source, policy("program"), WRITES, FIELDS) == []


def body(*lines: str) -> str:
    return "\n    ".join(["def decide(entry, today):", *lines]) + "\n"


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        (body("return [warehouse_upsert_patients(because=['S1'], email=year(entry['dob']))]"), 2, "int"),
        (body("return [warehouse_upsert_patients(because=['S1'], email=lower(7))]"), 2, "lower"),
        (body("return [warehouse_upsert_patients(because=['S1'], full_name=lower('x'))]"), 2, "None"),
        (body("return [warehouse_upsert_patients(because=['S1'], email=lowre('x'))]"), 2, "lowre"),
        (body("return [warehouse_upsert_patients(because=['S1'], email=date(entry['dob']))]"), 2, ""),
    ],
)
def test_types_of_transforms_are_checked(source: str, line: int, word: str) -> None:
    found = check_program(source, policy("program"), WRITES, FIELDS)

    assert [problem for problem in found if problem.startswith(f"line {line}: ") and word in problem]


def test_every_transform_has_types_that_a_program_can_use() -> None:
    calls = [f"{name}({example!r})" if not transform.joins else f"{name}(*{example!r})"
             for name, transform in TRANSFORMS.items() for example in [transform.example[0]]]  # fmt: skip

    assert check_program(body(*calls, "return []"), policy("program"), WRITES, FIELDS) == []


def test_a_value_made_by_no_granted_transform_is_refused() -> None:
    assert decided("upper(entry['email'])") == Refused(
        code="value_without_source", where="warehouse_upsert_patients.email"
    )


def test_the_runs_day_and_the_practices_zone_are_those_of_the_policy() -> None:
    source = """\
def decide(entry, today):
    found = (age("1990-11-22"), age("1990-11-23"), local_date("2026-01-31T06:15:00Z"))
    return skip("S3", "no_name") if found == (36, 35, "2026-01-30") else review("S3", "no_name")
"""
    kinds = []
    for zone in ("America/Los_Angeles", "UTC"):
        decider = by_program(source, timezone=zone)
        plan = decider.decide([case()])[0].outcome
        decider.close()
        assert isinstance(plan, Plan)
        kinds.append(plan.kind)

    assert kinds == ["skip", "review"]
