"""Which branches the golden examples take: every kind of branch, and the program decides as before."""

from datetime import date

import pytest
from pydantic import JsonValue

from agent.branches import Branch, watched
from agent.coverage import cover, unshown
from agent.golden import ExpectedCall, ExpectedPlan, Golden
from agent.plan import Plan
from agent.walk import reading
from tests.agent.desk import ANA, PROGRAM, WRITES, by_program, case, policy

TODAY = date(2026, 11, 22)


def example(**entry: JsonValue) -> Golden:
    return Golden(shows="it", today=TODAY, entry=entry, plan=ExpectedPlan(kind="skip", because=("S3",)))


def missed(source: str, *examples: Golden) -> list[str]:
    found = cover(source, policy("program"), WRITES, examples)
    return [f"{one.line} {one.what}" for one in found.missed]


def body(*lines: str) -> str:
    return "\n    ".join(["def decide(entry, today):", *lines, "return []"]) + "\n"


IF = body("if entry['a']:", "    pass")
ELIF = body("if entry['a'] == 1:", "    pass", "elif entry['a'] == 2:", "    pass")
WHILE = body("left = entry['a']", "while left:", "    left = left - 1")
CHOICE = body("x = 1 if entry['a'] else 2")
OR = body("x = entry['a'] or 1")
AND = body("x = entry['a'] and entry['b'] and 1")
AFTER_FOR = body("x = [one for one in entry['a'] if one]")
FOR = body("for one in entry['a']:", "    pass")
CASE = body("match entry['a']:", "    case 1:", "        pass", "    case _:", "        pass")
EXCEPT = body("try:", "    x = 1 / entry['a']", "except ZeroDivisionError:", "    pass")
HELPER = body("x = help(entry['a'])") + "def help(x):\n    return 1 if x else 2\n"


@pytest.mark.parametrize(
    ("source", "entries", "told"),
    [
        (IF, [{"a": True}], ["2 the condition always holds"]),
        (IF, [{"a": False}], ["2 the condition never holds"]),
        (IF, [{"a": True}, {"a": False}], []),
        (ELIF, [{"a": 1}, {"a": 3}], ["4 the condition never holds"]),
        (WHILE, [{"a": 0}], ["3 the condition of `while` never holds"]),
        (WHILE, [{"a": 2}], []),
        (CHOICE, [{"a": 1}], ["2 the condition before `else` always holds"]),
        (OR, [{"a": 1}], ["2 what is left of `or` always holds"]),
        (OR, [{"a": 1}, {"a": None}], []),
        (AND, [{"a": 1, "b": 2}], ["2 what is left of `and` always holds"] * 2),
        (AND, [{"a": 1, "b": 0}, {"a": 0}], ["2 what is left of `and` never holds"]),
        (AFTER_FOR, [{"a": [1, 2]}], ["2 the condition after `for` always holds"]),
        (AFTER_FOR, [{"a": [0]}], ["2 the condition after `for` never holds"]),
        (AFTER_FOR, [{"a": [0, 1]}], []),
        (FOR, [{"a": []}], ["2 `for` never has an element"]),
        (FOR, [{"a": [1]}], []),
        (CASE, [{"a": 1}], ["5 the case is never met"]),
        (CASE, [{"a": 1}, {"a": 2}], []),
        (EXCEPT, [{"a": 1}], ["4 `except` is never met"]),
        (EXCEPT, [{"a": 0}], []),
        (HELPER, [{"a": 0}], ["5 the condition before `else` never holds"]),
    ],
)  # fmt: skip
def test_a_branch_that_no_example_takes_is_told(
    source: str, entries: list[dict[str, JsonValue]], told: list[str]
) -> None:
    assert missed(source, *(example(**entry) for entry in entries)) == told


def test_a_condition_that_is_written_out_has_one_way() -> None:
    assert missed(body("while True:", "    break"), example()) == []


def test_an_example_in_which_the_program_fails_takes_no_branch() -> None:
    assert missed(IF, example(b=1)) == ["2 the condition always holds", "2 the condition never holds"]


def test_an_endless_example_takes_no_branch_and_ends() -> None:
    source = body("while entry['a']:", "    pass")

    assert missed(source, example(a=True), example(a=False)) == ["2 the condition of `while` never holds"]


def test_one_entry_leaves_no_branch_to_the_next() -> None:
    source = body("seen = []", "if entry['a']:", "    seen.append(1)", "if seen:", "    pass")

    assert missed(source, example(a=True), example(a=True)) == [
        "3 the condition always holds",
        "5 the condition always holds",
    ]


def test_a_branch_knows_its_sentences() -> None:
    found = reading(PROGRAM, policy("program"))
    branches = watched(found.tree, found.speaks).branches

    assert {one.line: one.sentences for one in branches} == {2: ("S2",), 4: ("S3",), 6: ("S4",)}
    assert all(isinstance(one, Branch) for one in branches)


def test_the_watched_program_decides_as_before() -> None:
    """The same plans, with and without watching, for entries that go every way."""
    found = reading(PROGRAM, policy("program"))
    watch = watched(found.tree, found.speaks).source + "\n\ndef _taken(at, value):\n    return value\n"
    entries: list[dict[str, JsonValue]] = [
        ANA,
        {**ANA, "active": False},
        {**ANA, "last_name": ""},
        {**ANA, "email": None},
    ]
    plain, other = by_program(), by_program(watch)
    plans = [one.outcome for one in plain.decide([case(entry) for entry in entries])]
    again = [one.outcome for one in other.decide([case(entry) for entry in entries])]
    plain.close()
    other.close()

    assert all(isinstance(plan, Plan) for plan in plans)
    assert plans == again


def test_a_judgement_is_answered_by_the_example() -> None:
    source = body("if judge('S4', 'Is it urgent?', ['yes', 'no'], {}) == 'yes':", "    pass")
    judging = policy("program").model_copy(update={"judgement": ("S4",)})
    answers = [example(a=1).model_copy(update={"judgements": {"S4": word}}) for word in ("yes", "no")]

    def ways(*examples: Golden) -> list[str]:
        return [one.what for one in cover(source, judging, WRITES, examples).missed]

    assert ways(answers[0]) == ["the condition always holds"]
    assert ways(*answers) == []
    assert len(ways(example(a=1))) == 2, "what nobody judged decides nothing"


def test_a_sentence_is_shown_by_a_plan_that_cites_it() -> None:
    call = ExpectedCall(op="crm_write", because=("S1", "S4"))
    wrote = Golden(shows="it", today=TODAY, entry={}, plan=ExpectedPlan(calls=(call,)))

    assert unshown(("S1", "S2", "S3", "S4"), [wrote, example()]) == ("S2",)
