"""Deciders in a process: many threads, groups, closing, forks."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from agent import loop
from agent.agent import Decider
from agent.failures import Code, is_transient, is_without_answer
from agent.plan import Decision, Plan, Refused
from agent.program import ProgramCode
from tests.agent.desk import ANA, by_program, case
from tests.agent.forked import said_by_a_fork


def numbered(start: int, count: int) -> list[Mapping[str, JsonValue]]:
    return [{**ANA, "id": str(n), "email": f"p{n}@example.com"} for n in range(start, start + count)]


def emails(decisions: list[Decision]) -> list[JsonValue]:
    return [
        decision.outcome.calls[0].values()["email"]
        for decision in decisions
        if isinstance(decision.outcome, Plan)
    ]


def test_a_group_is_answered_in_its_order() -> None:
    decider = by_program()
    decisions = decider.decide([case(entry) for entry in numbered(0, 50)])
    decider.close()

    assert emails(decisions) == [f"p{n}@example.com" for n in range(50)]


def test_an_empty_group_has_no_decisions() -> None:
    decider = by_program()

    assert decider.decide([]) == []
    decider.close()


def test_eight_threads_at_once_get_their_own_answers() -> None:
    decider = by_program()
    found: dict[int, list[JsonValue]] = {}

    def ask(thread: int) -> None:
        for group in range(3):
            start = thread * 1000 + group * 10
            answered = emails(decider.decide([case(entry) for entry in numbered(start, 10)]))
            found.setdefault(thread, []).extend(answered)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    decider.close()

    assert found == {
        n: [f"p{n * 1000 + group * 10 + at}@example.com" for group in range(3) for at in range(10)]
        for n in range(8)
    }


def test_a_closed_decider_opens_again() -> None:
    decider = by_program()
    decider.close()
    for _ in range(2):
        assert emails(decider.decide([case()])) == ["ana@example.com"]
        decider.close()
        decider.close()


def test_a_decider_outlives_its_loop() -> None:
    decider = by_program()
    decider.decide([case()])
    loop.close()

    assert emails(decider.decide([case()])) == ["ana@example.com"]
    decider.close()


def test_closing_ends_the_worker_process() -> None:
    others = workers()
    decider = by_program()
    decider.decide([case()])
    its_own = workers() - others
    decider.close()

    assert its_own
    assert not workers() & its_own


def workers() -> set[str]:
    """The worker processes of this one, by pid."""
    found: set[str] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        if fields[1] == str(os.getpid()) and fields[0] != "Z":
            found.add(stat.parent.name)
    return found


def test_a_fork_of_a_process_that_ran_programs_is_told_so_and_disturbs_nobody() -> None:
    decider = by_program()
    expected = decider.decide([case(entry) for entry in numbered(0, 3)])
    during: list[Decision] = []

    def child() -> bytes:
        decider.decide([case()])
        return b"decided"

    said = said_by_a_fork(
        child, lambda: during.extend(decider.decide([case(entry) for entry in numbered(0, 3)]))
    )
    after = decider.decide([case(entry) for entry in numbered(0, 3)])
    decider.close()

    assert said.startswith(b"RuntimeError: program: a forked process cannot run programs")
    assert during == expected
    assert after == expected


def test_a_fork_of_a_process_that_ran_none_decides() -> None:
    script = """
from tests.agent.desk import by_program, case
from tests.agent.forked import said_by_a_fork
from agent import loop
decider = by_program()
def child():
    kind = decider.decide([case()])[0].outcome.kind
    decider.close()
    loop.close()
    return kind.encode()
print(said_by_a_fork(child).decode(), decider.decide([case()])[0].outcome.kind)
decider.close()
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path.cwd(),
    )

    assert ran.stdout == "write write\n", ran.stderr
    assert ran.stderr == ""


def test_which_codes_are_worth_a_new_try_is_told() -> None:
    assert is_transient(Refused(code=Code.MODEL_UNAVAILABLE.value))
    assert is_transient(Refused(code=ProgramCode.CRASHED.value))
    assert not is_transient(Refused(code=ProgramCode.ERROR.value))
    assert not is_transient(Refused(code=Code.MODEL_OUTPUT_INVALID.value))
    assert not is_transient(Plan(kind="skip"))


def test_another_model_may_decide_only_where_the_first_may_be_asked_and_does_not_answer() -> None:
    outcomes = [Refused(code=code.value) for code in Code]

    silent = [one.code for one in outcomes if is_without_answer(one, batched=False)]
    late = [one.code for one in outcomes if is_without_answer(one, batched=True)]

    assert silent == ["model_unavailable", "model_timeout", "model_quota"]
    assert late == ["model_unavailable", "model_quota"]
    assert not is_without_answer(Plan(kind="skip"), batched=False)


def test_a_decider_is_asked_from_outside_its_loop_only() -> None:
    decider: Decider = by_program()
    decider.decide([case()])

    async def within() -> None:
        decider.decide([case()])

    with pytest.raises(RuntimeError, match="wait for itself"):
        loop.event_loop().run(within())
    decider.close()
