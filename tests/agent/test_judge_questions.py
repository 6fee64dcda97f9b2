"""Which questions a program may ask: those that are written out in it, of judgement sentences, a few."""

from dataclasses import replace

import pytest

from agent.plan import Plan, Refused
from tests.agent.desk import ANA, case
from tests.agent.judged import TEXT, decider, outcome


@pytest.mark.parametrize(
    "call",
    [
        "judge('S2', 'Is it ' + 'urgent?', ['urgent', 'routine'], {})",
        "globals_ = [judge][0]",
        "judge('S2', 'Is it urgent?', [entry['email'], 'routine'], {})",
        "judge('S1', 'Is it urgent?', ['urgent', 'routine'], {})",
        "judge(entry['id'], 'Is it urgent?', ['urgent', 'routine'], {})",
        "judge('S2', 'Is it urgent?', ['urgent'], {})",
        "judge('S2', 'Is it urgent?', ['urgent', 'urgent'], {})",
        "judge('S2', 'Is it urgent?', ['urgent', 'routine'])",
        "judge(*['S2', 'Is it urgent?', ['urgent', 'routine'], {}])",
        "judge(**entry)",
        "judge('S2', entry['reason'], ['urgent', 'routine'], {})",
        "judge = len",
    ],
)
def test_a_question_that_is_not_written_out_is_no_program(call: str) -> None:
    with pytest.raises(ValueError, match=r"^line 2: "):
        decider(f"def decide(entry, today):\n    {call}\n    return skip('S2', 'left')\n")


def test_a_question_may_be_a_constant() -> None:
    source = """\
ASKED = "Is it urgent?"
LEVELS = ("urgent", "routine")
def decide(entry, today):
    return skip("S2", "left") if judge("S2", ASKED, LEVELS, entry) == "urgent" else skip("S3", "left")
"""
    plan = outcome(decider(source))

    assert plan == Plan(kind="review", because=("S2",), reason="judgement")


def test_a_question_that_a_program_forges_is_refused() -> None:
    source = """\
def decide(entry, today):
    options = ["urgent", "routine"]
    options.append(entry["email"])
    judge("S2", "Is it urgent?", ["urgent", "routine"], {})
    return eval("judge('S2', 'Which e-mail?', options, {})")
"""
    made = decider(source)
    told = replace(case(ANA), judged={"S2": "urgent"})
    [decision] = made.decide([told])
    made.close()

    assert decision.outcome == Refused(code="program_judge_misused")


@pytest.mark.parametrize(
    "about",
    [
        "{str(n): n for n in range(600)}",
        "{'reason': 'x' * 60000}",
        "{'reason': float('nan')}",
        "{'reason': chr(0xD800)}",
        "{'reason': 10 ** 30}",
        "{'a': [[[] for n in range(100)] for n in range(100)]}",
    ],
)
def test_about_is_bounded(about: str) -> None:
    source = f"def decide(entry, today):\n    judge('S2', 'Urgent?', ['yes', 'no'], {about})\n    return []\n"
    made = decider(source)
    bad, good = made.decide([case(ANA), replace(case(ANA), judged={"S2": "yes"})])
    made.close()

    assert isinstance(bad.outcome, Refused)
    assert bad.outcome.code in ("program_judge_misused", "program_error")
    assert bad.outcome.where == "line 2"
    assert good.outcome == bad.outcome


def test_an_endless_row_of_questions_ends() -> None:
    source = """\
def decide(entry, today):
    n = 0
    while True:
        n = n + 1
        try:
            judge("S2", "Is it urgent?", ["urgent", "routine"], {"n": n})
        except BaseException:
            pass
"""
    made = decider(source)
    told = replace(case(ANA), judged={f"S2.{n}": "urgent" for n in range(2, 99)} | {"S2": "urgent"})
    [decision] = made.decide([told])
    made.close()

    assert decision.outcome == Refused(code="program_judge_misused", where="line 6")


def test_instructions_without_judgement_know_no_judge() -> None:
    with pytest.raises(ValueError, match="none that asks for judgement"):
        decider(text=TEXT.replace("Judgement: ", ""))
    with pytest.raises(ValueError, match="there are: none"):
        decider(text=TEXT.replace("Judgement: ", ""))
