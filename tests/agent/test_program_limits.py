"""A program that misbehaves ends as a code; the entries beside it are decided."""

import os
import signal
import time
from datetime import date

import pytest

from agent.agent import Case
from agent.plan import Plan, Refused
from agent.program import ProgramModel
from tests.agent.desk import ANA, TODAY, by_program, case

SECRET = "Zebulon-4711"

MISBEHAVIOUR = {
    "endless loop": ("while True:\n            pass", "program_timeout"),
    "endless loop that catches": (
        "while True:\n            try:\n                1 / 0\n            except BaseException:\n"
        "                pass",
        "program_timeout",
    ),
    "memory in one step": ("x = 'x' * 10**9", "program_memory"),
    "memory step by step": (
        "x = []\n        while True:\n            x.append('x' * 10**6)",
        "program_memory",
    ),
    "a huge number": ("x = 10 ** 10**8", "program_memory"),
    "recursion": ("decide(entry, today)", "program_recursion"),
    "an exception with a value": ("raise ValueError(entry['first_name'])", "program_error"),
    "a missing key": ("x = entry[entry['first_name']]", "program_error"),
    "a file": ("open('/etc/passwd').read()", "program_error"),
    "the network": ("import socket", "program_error"),
    "the environment": ("import os\n        os.environ.get('HOME')", "program_error"),
    "an unknown name": ("undefined()", "program_error"),
    "endless printing": ("while True:\n            print('x' * 1000)", "program_memory"),
    "no plan": ("return 3", "program_output_invalid"),
    "nothing": ("return None", "program_output_invalid"),
    "a function": ("return decide", "program_error"),
    "not a number": (
        "return [warehouse_upsert_patients(because=['S1'], full_name=float('nan'))]",
        "program_error",
    ),
    "a wrong type": (
        "return [warehouse_upsert_patients(because=['S1'], full_name=7)]",
        "program_output_invalid",
    ),
    "a plan too large": ("return skip('S1' * 10**6, 'no_name')", "program_output_invalid"),
}


def program(misbehaviour: str) -> str:
    return f"""\
def decide(entry, today):
    if entry["id"] == "bad":
        {misbehaviour}
    return [warehouse_upsert_patients(because=["S1"], email=entry["email"])]
"""


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_misbehaviour_is_a_code_and_its_neighbours_are_decided(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    misbehaviour, code = MISBEHAVIOUR[name]
    decider = by_program(program(misbehaviour))
    bad = case({**ANA, "id": "bad", "first_name": SECRET})
    begun = time.monotonic()
    outcomes = [decision.outcome for decision in decider.decide([case(), bad, case(), bad, case()])]
    spent = time.monotonic() - begun
    decider.close()
    printed = capfd.readouterr()

    assert [isinstance(outcome, Plan) for outcome in outcomes] == [True, False, True, False, True]
    refused = outcomes[1]
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert refused.where in ("", "line 1", "line 3", "line 4", "line 5", "line 6", "line 7")
    assert SECRET not in repr(outcomes[1])
    assert printed == ("", "")
    assert spent < 5


def test_a_regular_expression_that_explodes_elsewhere_is_harmless() -> None:
    decider = by_program(program("import re\n        re.match(r'(a+)+$', 'a' * 60 + 'b')"))
    begun = time.monotonic()
    outcome = decider.decide([case({**ANA, "id": "bad"})])[0].outcome
    spent = time.monotonic() - begun
    decider.close()

    assert isinstance(outcome, Plan)
    assert spent < 1


def test_the_line_of_an_error_is_the_programs_own() -> None:
    source = (
        "def one(entry):\n    return entry['nowhere']\n\n\ndef decide(entry, today):\n    return one(entry)\n"
    )
    decider = by_program(source)
    outcome = decider.decide([case()])[0].outcome
    decider.close()

    assert outcome == Refused(code="program_error", where="line 2")


def test_nothing_of_one_entry_is_there_for_the_next() -> None:
    source = """\
seen = []
def decide(entry, today):
    if seen:
        return skip("S3", "no_name")
    seen.append(entry["email"])
    return [warehouse_upsert_patients(because=["S1"], email=entry["email"])]
"""
    cases = [case({**ANA, "email": f"p{n}@example.com"}) for n in range(5)]
    decider = by_program(source)
    outcomes = [decision.outcome for decision in decider.decide(cases)]
    decider.close()

    assert [
        outcome.calls[0].values() for outcome in outcomes if isinstance(outcome, Plan) and outcome.calls
    ] == [{"email": f"p{n}@example.com"} for n in range(5)]


def test_inputs_of_an_earlier_entry_have_no_name_later() -> None:
    source = """\
def decide(entry, today):
    if entry["id"] == "first":
        return skip("S3", "no_name")
    return [warehouse_upsert_patients(because=["S1"], email=known["crm_find_owner"])]
"""
    decider = by_program(source)
    first = Case("1", {**ANA, "id": "first"}, {"crm_find_owner": "first@example.com"}, TODAY)
    second = Case("2", {**ANA, "id": "second"}, {}, TODAY)
    outcomes = [decision.outcome for decision in decider.decide([first, second])]
    decider.close()

    assert isinstance(outcomes[0], Plan)
    assert outcomes[1] == Refused(code="program_error", where="line 4")


def test_the_clock_stands_still_at_the_runs_day() -> None:
    source = """\
import time
from datetime import date, datetime, timedelta
def decide(entry, today):
    begun = time.time()
    time.sleep(5)
    if not (time.time() == begun and date.today() == today and datetime.now().date() == today):
        return skip("S3", "no_name")
    tomorrow = date.today() + timedelta(days=1)
    return plan([warehouse_upsert_patients(because=["S2"], status="archived")], again_on=tomorrow)
"""
    decider = by_program(source)
    begun = time.monotonic()
    outcomes = [
        decision.outcome
        for decision in decider.decide(
            [Case("1", ANA, {}, date(2026, 2, 28)), Case("1", ANA, {}, date(2031, 1, 1))]
        )
    ]
    spent = time.monotonic() - begun
    decider.close()

    assert [str(outcome.again_on) for outcome in outcomes if isinstance(outcome, Plan)] == [
        "2026-03-01",
        "2031-01-02",
    ]
    assert spent < 3


def test_a_worker_that_is_killed_is_replaced() -> None:
    decider = by_program(program("pass"))
    decider.decide([case()])
    model = decider._opened[-1].agent.program.model
    assert isinstance(model, ProgramModel)
    with model._sandbox._pool.checkout() as session:
        worker = session.worker_pid
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    outcomes = [decision.outcome for decision in decider.decide([case()] * 5)]
    decider.close()

    assert sum(isinstance(outcome, Plan) for outcome in outcomes) >= 4
    assert all(outcome.code == "program_crashed" for outcome in outcomes if isinstance(outcome, Refused))
