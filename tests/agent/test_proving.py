"""What golden examples prove: differences by name, repeats, and how wrong it may be all the same."""

from collections.abc import Sequence
from datetime import date

import pytest
from pydantic import JsonValue

from agent.agent import Decider
from agent.bounds import at_most
from agent.gate import Gate
from agent.golden import ExpectedCall, ExpectedPlan, Golden
from agent.instructions import Instructions
from agent.plan import Argument, Call, Plan, Refused, Source
from agent.proving import Proven, Tried, by_examples, prove
from agent.unmet import unmet
from tests.agent.desk import (
    ANA,
    ANSWERED,
    CATEGORIES,
    TEXT,
    TODAY,
    WRITES,
    Directory,
    by_program,
    policy,
    terms,
)
from tests.agent.openai_server import Reply, in_turn, serving, submits

OP = "warehouse_upsert_patients"
NAME, EMAIL = "Ana Silva-Example", "ana@example.com"


def written(because: Sequence[str] = ("S1",), **arguments: JsonValue) -> Plan:
    values = {
        name: Argument(value=value, source=Source(kind="computed")) for name, value in arguments.items()
    }
    return Plan(kind="write", calls=(Call(operation=OP, arguments=values, because=tuple(because)),))


def expected(because: Sequence[str] = ("S1",), **arguments: JsonValue) -> ExpectedPlan:
    return ExpectedPlan(calls=(ExpectedCall(op=OP, because=tuple(because), arguments=arguments),))


SKIPPED = Plan(kind="skip", because=("S3",), reason="no_name")


@pytest.mark.parametrize(
    ("wanted", "made", "told"),
    [
        (expected(email=EMAIL), written(email=EMAIL), ()),
        (expected(("S1", "S2"), email=EMAIL), written(("S2", "S1"), email=EMAIL), ()),
        (expected(email=EMAIL), written(email="secret@example.com"), (f"{OP}.email",)),
        (expected(email=EMAIL), written(email=None), (f"{OP}.email",)),
        (expected(email=None), written(), (f"{OP}.email is not set",)),
        (expected(), written(email="secret@example.com"), (f"{OP}.email is set",)),
        (expected(count=1), written(count=True), (f"{OP}.count",)),
        (expected(count=1), written(count=1.0), (f"{OP}.count",)),
        (expected(), written(("S2",)), (f"{OP}.because",)),
        (expected(), SKIPPED, ("skip instead of write",)),
        (ExpectedPlan.of(SKIPPED), SKIPPED, ()),
        (ExpectedPlan.of(SKIPPED), SKIPPED.model_copy(update={"reason": "secret"}), ("reason",)),
        (ExpectedPlan.of(SKIPPED), SKIPPED.model_copy(update={"because": ("S4",)}), ("because",)),
        (
            ExpectedPlan.of(SKIPPED),
            SKIPPED.model_copy(update={"again_on": date(2026, 3, 2)}),
            ("again_on",),
        ),
        (expected(), Refused(code="bad_handle", where=f"{OP}.email"), (f"refused: bad_handle {OP}.email",)),
        (ExpectedPlan(), written(), (f"{OP}: 1 calls instead of 0",)),
    ],
)
def test_what_differs_is_named_and_no_value_is_shown(
    wanted: ExpectedPlan, made: Plan | Refused, told: tuple[str, ...]
) -> None:
    found = unmet(wanted, made)

    assert found == told
    assert not any("secret" in name for name in found)


def test_the_order_of_calls_does_not_count() -> None:
    one, other = expected(email="a").calls[0], expected(email="b").calls[0]
    made = written(email="b").model_copy(
        update={"calls": written(email="b").calls + written(email="a").calls}
    )

    assert unmet(ExpectedPlan(calls=(one, other)), made) == ()


@pytest.mark.parametrize(
    ("wrong", "of", "share"),
    [
        # of the F distribution's tables: one-sided, 95 %
        (0, 8, 0.3123),
        (0, 30, 0.0950),
        (0, 300, 0.00994),
        (1, 20, 0.2161),
        (2, 100, 0.0616),
        (10, 20, 0.6980),
        (5, 5000, 0.002101),
        (7, 7, 1.0),
    ],
)
def test_the_bound_is_the_exact_one(wrong: int, of: int, share: float) -> None:
    assert at_most(wrong, of) == pytest.approx(share, rel=0.002)


@pytest.mark.parametrize("of", [50, 100, 1000])
def test_with_none_wrong_it_is_the_rule_of_three(of: int) -> None:
    assert at_most(0, of) == pytest.approx(3 / of, rel=0.04)


def test_a_programs_examples_go_through_the_loop_and_the_gate() -> None:
    good = Golden(shows="a row", today=TODAY, entry=ANA, plan=expected(full_name=NAME, email=EMAIL))
    wrong = good.model_copy(update={"plan": expected(full_name="Ben", email=EMAIL)})
    failing = good.model_copy(update={"entry": {"active": True, "last_name": "Silva", "email": EMAIL}})
    decider = by_program()
    proven = prove(decider, "program", {"good": good, "wrong": wrong, "failing": failing})
    decider.close()

    assert [(one.name, one.right, one.differs) for one in proven.examples] == [
        ("good", 1, {}),
        ("wrong", 0, {f"{OP}.full_name": 1}),
        ("failing", 0, {"refused: program_error line 8": 1}),
    ]
    assert not proven.good(0.0), "a program has to be right in all"


def test_a_model_that_hesitates_does_not_pass_to_the_power_of_k() -> None:
    right = submits({"kind": "skip", "because": ["S3"], "reason": "no_name"})
    wrong = submits({"kind": "review", "because": ["S4"], "reason": "no_email"})
    golden = Golden(shows="no name", today=TODAY, entry=ANA, plan=ExpectedPlan.of(SKIPPED))
    proven = asked([right, wrong, right], {"one": golden, "two": golden}, repeats=4)

    assert (proven.decisions, proven.wrong) == (8, 1)
    assert (proven.passed, proven.share) == (1, 0.5)
    assert sorted(one.right for one in proven.examples) == [3, 4]
    assert proven.wrong_at_most == pytest.approx(0.4707, rel=0.001)
    assert proven.good(0.5) and not proven.good(0.9)


def test_a_model_that_does_not_answer_has_not_passed() -> None:
    golden = Golden(shows="no name", today=TODAY, entry=ANA, plan=ExpectedPlan.of(SKIPPED))
    proven = asked([Reply(status=503)], {"one": golden}, repeats=2)

    assert proven.examples[0].right == 0
    assert list(proven.examples[0].differs) == ["refused: model_unavailable"]


def asked(replies: list[Reply], examples: dict[str, Golden], repeats: int) -> Proven:
    by = "openai-compatible:test-model"
    with serving(in_turn(*replies)) as endpoint:
        decider = Decider(
            gate=Gate(policy("model"), WRITES, CATEGORIES.get),
            policy=policy("model"),
            instructions=Instructions.parse(TEXT),
            writes=WRITES,
            model=by,
            terms=terms(endpoint.access(at_once=1)),
        )
        proven = prove(decider, by, examples, repeats)
        decider.close()
        return proven


def test_no_example_proves_nothing() -> None:
    assert not Proven(by="program", repeats=1, examples=()).good(0.0)
    assert Proven(by="program", repeats=1, examples=(Tried(name="a", right=1, of=1),)).good(0.9)


def test_a_lookup_is_answered_by_what_the_example_knows() -> None:
    """Nothing is asked of a system: the connector's own answer is replaced."""
    directory = Directory("a system was asked")
    golden = Golden(
        shows="no name",
        today=TODAY,
        entry=ANA,
        known={"crm_find_owner": {"owner": "Dr. Ray"}},
        plan=ExpectedPlan.of(SKIPPED),
    )
    answered = by_examples(directory.lookups(), {"one": golden})

    assert answered["crm_find_owner"].answer("one", {}) == {"owner": "Dr. Ray"}
    assert answered["crm_find_owner"].categories == ANSWERED
    assert directory.asked == []
