"""A practice that asks for judgement: two judgement sentences, programs that ask, a memory of the answers."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from agent.agent import PROGRAM, Access, Decider, Judging, Terms, View
from agent.gate import Gate
from agent.instructions import Instructions
from agent.judge import Judgements
from agent.plan import Plan, Refused
from agent.policy import Grant, OperationGrant
from connectors.entry import Category
from tests.agent.desk import ANA, CATEGORIES, WRITES, case, policy, terms
from tests.agent.openai_server import Model, Reply, calls

TEXT = """\
S1. Keep every patient in the warehouse.

S2. Judgement: A patient whose reason is urgent is archived, so that a nurse calls.

S3. Judgement: A patient who seems to have left is for a person to review (`left`).
"""
PROGRAM_TEXT = """\
def decide(entry, today):
    level = judge("S2", "Is the reason urgent?", ["urgent", "routine"], about={
        "reason": entry.get("reason", MISSING), "e-mail": entry["email"], "next visit": entry["next_visit"]})
    status = "archived" if level == "urgent" else "active"
    return [warehouse_upsert_patients(because=["S1", "S2"], email=lower(entry["email"]), status=status)]
"""
TWICE = """\
def decide(entry, today):
    answers = [
        judge("S2", "Is it urgent?", ("urgent", "routine"), {"plan": policy["num"]})
        for policy in entry["policies"]
    ]
    gone = judge(sentence="S3", question="Has the patient left?", options=["yes", "no"], about={"is": True})
    again = judge("S3", "Has the patient left?", ["yes", "no"], {"is": True})
    if gone == "yes" and again == "yes":
        return review("S3", "left")
    status = "archived" if "urgent" in answers else "active"
    return [warehouse_upsert_patients(because=["S1", "S2"], status=status)]
"""
SEEN = {**CATEGORIES, "reason": Category.FREE_TEXT}
REVEALED = {Category.SCHEDULE, Category.FREE_TEXT}
REASON: dict[str, JsonValue] = {**ANA, "reason": "Chest pain since this morning"}


class Remembered:
    """Judgements in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self._turn = threading.Lock()

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    def keep(self, key: str, sentence: str, option: str) -> str:
        with self._turn:
            return self.kept.setdefault(key, option)


def decider(
    source: str = PROGRAM_TEXT,
    access: Access | Terms | None = None,
    judgements: Judgements | None = None,
    text: str = TEXT,
    name: str = "test-model",
) -> Decider:
    instructions = Instructions.parse(text, source)
    granted = policy("program").model_copy(
        update={
            "sentences": instructions.numbers,
            "judgement": instructions.judgement,
            "reasons": instructions.reasons,
            "operations": {
                "warehouse_upsert_patients": OperationGrant(
                    arguments={
                        "email": Grant(sources=("email",), transforms=("lower",)),
                        "status": Grant(constants=("active", "archived"), because=("S2",)),
                    }
                )
            },
        }
    )
    judging = Judging(f"openai-compatible:{name}", judgements or Remembered())
    return Decider(
        gate=Gate(granted, WRITES, SEEN.get),
        policy=granted,
        instructions=instructions,
        writes=WRITES,
        model=judging if access else PROGRAM,
        view=View(SEEN.get, REVEALED, SEEN, "shown"),
        terms=terms(access) if isinstance(access, Access) else access,
    )


def answers(option: Any) -> Reply:
    return calls(("answer", {"response": option}))


def always(option: Any) -> Model:
    return lambda body: answers(option)


def outcome(made: Decider, entry: Mapping[str, JsonValue] = REASON) -> Plan | Refused:
    try:
        return made.decide([case(entry)])[0].outcome
    finally:
        made.close()
