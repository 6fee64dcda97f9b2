"""Connector operations as what an agent sees: writes are members of one plan, lookups are tools.

The shape of a plan is generated from the granted writes. What is not granted has no name in it, so it
cannot even be asked for; the gate still checks every draft.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)

from agent.plan import Draft, DraftCall
from agent.policy import Grant, Policy
from agent.prelude import granted
from agent.references import written
from agent.transforms import TRANSFORMS
from connectors.operation import Write

By = Literal["reference", "value"]
SUBMIT = "submit_plan"


class Submitted(BaseModel):
    """Base of what is submitted: no unknown names, and no values in error messages."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class SubmittedArguments(Submitted):
    """Base of every operation's arguments: fields f0, f1, … so that no argument's name can clash."""

    names: ClassVar[Mapping[str, str]] = {}  # field -> argument

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        cls.names = {name: field.alias or name for name, field in cls.model_fields.items()}

    def given(self) -> dict[str, Any]:
        """The arguments that were set, by their own names."""
        names = self.names
        return {names[name]: getattr(self, name) for name in names if name in self.model_fields_set}


class SubmittedCall(Submitted):
    """Base of every operation's call."""

    op: str
    because: Annotated[list[str], Field(description="the sentences that this call follows: S1, S4")]
    arguments: SubmittedArguments


class SubmittedPlan(Submitted):
    """Base of every generated plan."""

    kind: Annotated[Literal["write", "skip", "review"], Field(description="what becomes of this entry")]
    because: Annotated[list[str], Field(description="skip, review: the sentences that say so")] = []
    reason: Annotated[str, Field(description="skip, review: one short code, such as no_consent")] = ""
    again_on: Annotated[date | None, Field(description="decide again on this day; date rules only")] = None


def plan_type(by: By, policy: Policy, writes: Mapping[str, Write]) -> type[SubmittedPlan]:
    """The one output of deciding: a plan whose calls can only be granted ones.

    by "reference", for a model: an argument is a handle, and null is not set. by "value", for a
    program: an argument is the value itself, and absent is not set.
    """
    calls = tuple(_call_type(by, name, policy, writes) for name in policy.operations)
    if not calls:
        return SubmittedPlan
    one: Any = Union[calls]  # noqa: UP007 - made at run time
    each: Any = Annotated[one, Field(discriminator="op")] if len(calls) > 1 else one
    fields: dict[str, Any] = {
        "calls": (list[each], Field(default=[], description="write: what to do, in order"))
    }
    return create_model("Plan", __base__=SubmittedPlan, **fields)


def draft_of(by: By, plan: SubmittedPlan) -> Draft:
    """What was submitted, as the gate reads it."""
    calls: list[SubmittedCall] = getattr(plan, "calls", [])
    return Draft(
        by=by,
        kind=plan.kind,
        calls=tuple(_draft_call(by, call) for call in calls),
        because=tuple(plan.because),
        reason=plan.reason,
        again_on=plan.again_on,
    )


def _draft_call(by: By, call: SubmittedCall) -> DraftCall:
    given = call.arguments.given()
    if by == "reference":
        given = {name: value for name, value in given.items() if value is not None}
    return DraftCall(operation=call.op, arguments=given, because=tuple(call.because))


def _call_type(by: By, operation: str, policy: Policy, writes: Mapping[str, Write]) -> type[SubmittedCall]:
    arguments = {
        f"f{at}": _argument(by, name, type_, policy.operations[operation].arguments[name])
        for at, (name, type_) in enumerate(granted(policy, writes, operation).items())
    }
    fields: dict[str, Any] = {
        "op": (Literal[operation], ...),
        "arguments": (create_model(f"{operation}_arguments", __base__=SubmittedArguments, **arguments), ...),
    }
    return create_model(operation, __base__=SubmittedCall, __doc__=writes[operation].summary, **fields)


def _argument(by: By, name: str, type_: object, grant: Grant) -> Any:
    if by == "reference":
        return str | None, Field(default=None, alias=name, description=_choices(grant))
    return Annotated[type_, WrapValidator(_as_given)], Field(default=None, alias=name)


def _as_given(value: JsonValue, check: ValidatorFunctionWrapHandler) -> JsonValue:
    """The value as it was made, if it is of the type: the gate looks for where it came from."""
    check(value)
    return value


def _choices(grant: Grant) -> str:
    """What may stand in an argument, in the words of the handle language."""
    choices = [f"@{path}" for path in grant.sources]
    choices += [f"={written(constant)}" for constant in grant.constants]
    text = f"one of {', '.join(choices)}" if choices else ""
    if grant.sources and grant.transforms:
        text += f"; a path may be followed by {', '.join('|' + name for name in grant.transforms)}"
    if any(TRANSFORMS[name].joins for name in grant.transforms if name in TRANSFORMS):
        text += "; paths to be joined have + between them: @a+b|join_…"
    if grant.free_text:
        text += '; or "your own words" in double quotes'
    return f"{text.removeprefix('; ')}; null: not set"
