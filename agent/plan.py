"""Plan: what was decided for one version of one entry. Data only; nothing here acts."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Sentences = tuple[str, ...]
"""Numbers of the instructions' sentences: ("S1", "S4")."""


class Frozen(BaseModel):
    """Base of the decision's values: frozen, no unknown names, no values in error messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Source(Frozen):
    """Where a value comes from.

    leaf: copied from the entry at `paths[0]`. transform: a declared transform of what is at `paths`.
    constant: named by the approved instructions. computed: made by the approved program out of `paths`.
    free_text: a model's own words, only where the operation and a sentence allow them. before: what the
    target held before a run that is undone.
    """

    kind: Literal["leaf", "transform", "constant", "computed", "free_text", "before"]
    paths: tuple[str, ...] = ()  # concrete paths: ("policies.0.num",)
    transforms: tuple[str, ...] = ()


class Argument(Frozen):
    """A value, where it comes from, and the sentences of its call that speak of it."""

    value: JsonValue
    source: Source
    because: Sentences = ()


class Call(Frozen):
    """One write. `operation` is `<target>_<write>`: "warehouse_upsert_patients"."""

    operation: str
    arguments: dict[str, Argument]
    because: Sentences

    def values(self) -> dict[str, JsonValue]:
        return {name: argument.value for name, argument in self.arguments.items()}


class Plan(Frozen):
    """The one output of deciding: calls to make, or a reason to skip, or to ask a person.

    `again_on` asks for a new decision on that day although the entry did not change (date rules).
    """

    kind: Literal["write", "skip", "review"]
    calls: tuple[Call, ...] = ()
    because: Sentences = ()
    reason: str = ""  # the program's or model's word for it: a code, no text from the entry
    again_on: date | None = None
    judged: dict[str, str] = Field(
        default_factory=dict[str, str],
        exclude_if=lambda judged: not judged,
        description="what `judge` answered, by sentence: S5, and S5.2 for its second question",
    )

    @property
    def judged_by(self) -> Sentences:
        """The sentences that were judged: what follows one of them was decided by judgement."""
        return tuple(dict.fromkeys(label.partition(".")[0] for label in self.judged))


class Refused(Frozen):
    """The gate, or deciding itself, said no. The entry is quarantined with this code."""

    code: str  # closed list: see agent/gate.py and agent/agent.py
    where: str = ""  # operation and argument name, never a value


class Decision(Frozen):
    """What came of one entry, and what it cost."""

    outcome: Plan | Refused
    model_requests: int = 0


class DraftCall(Frozen):
    """A call as it was decided, before the gate: values as written, or handles of them."""

    operation: str
    arguments: dict[str, JsonValue]  # unset names are absent; None is null
    because: Sentences


class Draft(Frozen):
    """What a program or a model submitted, before the gate.

    by "reference": each argument is a handle: `@email`, `@policies.0.num|upper`, `=active` (a
    constant that the policy grants), or `"…"` free text. by "value": each argument is the value itself,
    made by an approved program; the gate finds where it came from.
    """

    by: Literal["reference", "value"]
    kind: Literal["write", "skip", "review"]
    calls: tuple[DraftCall, ...] = ()
    because: Sentences = ()
    reason: str = ""
    again_on: date | None = None
    judged: dict[str, str] = Field(default_factory=dict[str, str])
