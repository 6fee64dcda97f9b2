"""Where candidates disagree is told by fields, constants and codes: no value of an entry is in it."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.plan import Argument, Call, Plan, Refused, Source
from agent.refine.disagreements import Disagreements, Outcome, alike

SECRET = "CANARY-Value"


def leaf(path: str, value: JsonValue = SECRET) -> Argument:
    return Argument(value=value, source=Source(kind="leaf", paths=(path,)), because=("S3",))


def computed(value: JsonValue) -> Argument:
    return Argument(value=value, source=Source(kind="computed", paths=("first_name", "last_name")))


def constant(value: JsonValue) -> Argument:
    return Argument(value=value, source=Source(kind="constant"), because=("S4",))


def write(*calls: dict[str, Argument], again_on: date | None = None, op: str = "crm_set") -> Plan:
    made = tuple(Call(operation=op, arguments=one, because=("S1", "S3", "S4")) for one in calls)
    return Plan(kind="write", calls=made, again_on=again_on)


SKIP = Plan(kind="skip", because=("S2",), reason="no_consent")
LOWER = Argument(
    value=SECRET.lower(), source=Source(kind="transform", paths=("email",), transforms=("strip", "lower"))
)
CASES: dict[str, tuple[list[Outcome], str, tuple[str, ...]]] = {
    "fate": ([write({}), SKIP], "what becomes of such a patient", ("left alone (`no_consent`)", "written")),
    "reason": (
        [SKIP, SKIP.model_copy(update={"reason": "archived"})],
        "what becomes of such a patient",
        ("left alone (`archived`)", "left alone (`no_consent`)"),
    ),
    "unset": ([write({"a": leaf("email")}), write({})], "`crm_set.a`", ("`email`", "left as it is")),
    "emptied": ([write({"a": leaf("email", None)}), write({})], "`crm_set.a`", ("emptied", "left as it is")),
    "constants": (
        [write({"a": constant("new")}), write({"a": constant("old")})],
        "`crm_set.a`",
        ('"new", as granted', '"old", as granted'),
    ),
    "positions": (
        [write({"a": leaf("policies.0.num", SECRET + "1")}), write({"a": leaf("policies.1.num", SECRET)})],
        "`crm_set.a`",
        ("`policies.0.num`", "`policies.1.num`"),
    ),
    "transform": (
        [write({"a": LOWER}), write({"a": leaf("email")})],
        "`crm_set.a`",
        ("`email`", "`email` as strip and lower"),
    ),
    "computed": (
        [write({"a": computed(f"{SECRET} 1")}), write({"a": computed(f"{SECRET} 2")})],
        "`crm_set.a`",
        ("made of `first_name`, `last_name`, way 1", "made of `first_name`, `last_name`, way 2"),
    ),
    "operation": ([write({}), write({}, {})], "`crm_set (2)`", ("called", "not called")),
    "again": (
        [write({}, again_on=date(2031, 5, 6)), write({})],
        "when it is decided again",
        ("not before it changes", "on another day"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_disagreement_is_one_question(name: str) -> None:
    outcomes, place, options = CASES[name]
    differences = Disagreements()
    differences.add(outcomes)
    differences.add(outcomes)

    [(question, entries)] = differences.questions(lambda argument: ())

    assert question.asks == f"Programs that follow the sentences differ in {place}: which is meant?"
    assert question.options == options and entries == 2
    assert "canary" not in question.model_dump_json().lower() and "2031" not in question.model_dump_json()
    assert not alike(outcomes[0], outcomes[1])


def test_a_question_is_about_the_sentences_that_speak_of_it() -> None:
    differences = Disagreements()
    differences.add([write({"a": leaf("email")}), write({"a": constant("new")})])

    [(every, _)] = differences.questions(lambda argument: ())
    [(one, _)] = differences.questions(lambda argument: ("S4", "S9") if argument == "crm_set.a" else ())

    assert (every.about, one.about) == (("S3", "S4"), ("S4",))


def test_the_most_frequent_comes_first() -> None:
    differences = Disagreements()
    differences.add([write({"a": leaf("email")}), write({})])
    for _ in range(2):
        differences.add([write({}), SKIP])

    assert [entries for _, entries in differences.questions(lambda argument: ())] == [2, 1]


def test_who_was_refused_has_no_say_and_what_is_cited_is_no_difference() -> None:
    differences = Disagreements()
    other = SKIP.model_copy(update={"because": ("S7",)})
    differences.add([SKIP, Refused(code="program_error"), other])

    assert differences.questions(lambda argument: ()) == []
    assert alike(SKIP, other) and not alike(SKIP, Refused(code="program_error"))


arguments = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.sampled_from(
        [leaf("email"), leaf("email", None), computed(SECRET), computed(SECRET + "2"), constant("x")]
    ),
)
plans = st.sampled_from([SKIP]) | st.builds(write, arguments) | st.builds(write, arguments, arguments)


@settings(deadline=None)
@given(st.lists(plans, min_size=2, max_size=3))
def test_options_are_several_and_tell_nothing(outcomes: list[Plan]) -> None:
    differences = Disagreements()
    differences.add(outcomes)

    asked = differences.questions(lambda argument: ())

    assert bool(asked) == any(not alike(outcomes[0], other) for other in outcomes[1:])
    for question, _ in asked:
        assert len(question.options) >= 2 and SECRET not in question.model_dump_json()
