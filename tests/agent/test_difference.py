"""Two decisions about one entry: nothing differs exactly where they are equal, and sentences are named."""

from datetime import date
from itertools import product

from agent.difference import UNSET, Side, by_sentence, differences
from agent.gate import plan_hash
from agent.plan import Argument, Call, Plan, Refused, Source

LEAF = Source(kind="leaf", paths=("email",))
ROW = "warehouse_upsert_patients"


def argument(value: object, *because: str, source: Source = LEAF) -> Argument:
    return Argument.model_validate({"value": value, "source": source, "because": because or ("S4",)})


def write(*because: str, again_on: date | None = None, **arguments: Argument) -> Plan:
    call = Call(operation=ROW, arguments=arguments, because=because or ("S1", "S4", "S9"))
    return Plan(kind="write", calls=(call,), again_on=again_on)


SKIP = Plan(kind="skip", because=("S3",), reason="no_consent")
PLANS: list[Plan | Refused] = [
    SKIP,
    SKIP.model_copy(update={"reason": "other"}),
    Plan(kind="review", because=("S3",), reason="no_consent"),
    Refused(code="value_without_source", where=f"{ROW}.email"),
    Refused(code="value_without_source", where=f"{ROW}.phone"),
    write(email=argument("a@example.com")),
    write(email=argument("b@example.com")),
    write(email=argument(None)),
    write(email=argument("a@example.com"), phone=argument("+15550100")),
    write(phone=argument("+15550100"), email=argument("a@example.com")),
    write(email=argument("a@example.com", "S4", "S5")),
    write(email=argument("a@example.com", source=Source(kind="computed", paths=("email",)))),
    write("S1", "S4", email=argument("a@example.com")),
    write(email=argument("a@example.com"), again_on=date(2026, 5, 1)),
    write(count=argument(1)),
    write(count=argument(True)),
    write(count=argument(1.0)),
    Plan(kind="write", calls=()),
]


def test_nothing_differs_exactly_where_plans_are_equal() -> None:
    for one, other in product(PLANS, PLANS):
        found = differences(one, other)

        if isinstance(one, Plan) and isinstance(other, Plan):
            assert (found == ()) == (plan_hash(one) == plan_hash(other)), (one, other)
        else:
            assert (found == ()) == (one == other)
        assert len(found) == len({difference.what for difference in found})


def test_a_value_differs_by_the_sentences_that_speak_of_it_on_either_side() -> None:
    (found,) = differences(
        write(status=argument("active", "S9")), write(status=argument("archived", "S2", "S9"))
    )

    assert (found.what, found.because) == (f"{ROW}.status", ("S9", "S2"))
    assert (found.before, found.after) == (Side(value="active"), Side(value="archived"))


def test_not_set_is_not_null() -> None:
    (found,) = differences(write(), write(email=argument(None)))

    assert (found.before, found.after) == (UNSET, Side(value=None))


def test_a_skip_speaks_for_itself_and_not_for_all_that_a_write_cites() -> None:
    (found,) = differences(write(email=argument("a@example.com")), SKIP)

    assert (found.what, found.because, found.kind) == ("decision", ("S3",), "word")
    assert found.after == Side(value="skip by S3 (no_consent)")


def test_what_was_refused_is_spoken_of_by_no_sentence() -> None:
    (found,) = differences(write(email=argument("a@example.com")), Refused(code="program_error"))

    assert found.because == ()
    assert list(by_sentence({"e1": (found,)})) == [""]


def test_sentences_are_listed_in_their_order() -> None:
    values = {f"a{at}": argument(at, f"S{at}") for at in (10, 2, 9)}

    found = differences(write(), write(**values))

    assert list(by_sentence({"e1": found})) == ["S2", "S9", "S10"]


def test_another_source_of_the_same_value_is_a_difference() -> None:
    computed = argument("a@example.com", source=Source(kind="computed", paths=("email",)))

    (found,) = differences(write(email=argument("a@example.com")), write(email=computed))

    assert (found.what, found.because, found.kind) == (f"{ROW}.email, its source", ("S4",), "word")
    assert found.after == Side(value="computed email by S4")
