"""Deciding by a model: the approved text, one entry as handles, one submitted plan of references."""

from collections.abc import Mapping

from pydantic_ai import Agent, ToolOutput
from pydantic_ai.models import Model
from pydantic_ai.usage import UsageLimits

from agent.access import Access
from agent.case import Deciding
from agent.failures import Code
from agent.lookups import lookup_tools
from agent.models import Counted, model_of, settings_of
from agent.policy import Policy
from agent.prompt import View, standing
from agent.tools import SUBMIT, plan_type
from agent.ways import Decides, Way
from connectors.operation import Lookup, Write


def by_model(
    model: str | Model,
    text: str,
    policy: Policy,
    writes: Mapping[str, Write],
    lookups: Mapping[str, Lookup],
    view: View,
    access: Access,
) -> Way:
    """A model decides. Raises ValueError if it cannot be reached so, or the policy does not fit."""
    if isinstance(model, str):
        model_of(model, access)  # thrown away: what cannot be built is to be found now, not at an entry
    plan = plan_type("reference", policy, writes)
    tools = lookup_tools(lookups, view.answer)

    def build() -> Decides:
        return Agent(
            Counted(model_of(model, access) if isinstance(model, str) else model),
            output_type=ToolOutput(plan, name=SUBMIT, description="Submit the plan for this record."),
            instructions=standing(text),
            deps_type=Deciding,
            name=SUBMIT,
            tools=tools,
            retries={"tools": 1, "output": access.limits.bad_plans},
            model_settings=settings_of(access),
            end_strategy="early",
        )

    return Way(
        by="reference",
        build=build,
        told=lambda case: view.case(case.entry, case.known, case.today),
        invalid=Code.MODEL_OUTPUT_INVALID.value,
        at_once=access.limits.at_once,
        usage=_usage(access),
        seconds=access.limits.seconds,
    )


def _usage(access: Access) -> UsageLimits:
    limits = access.limits
    return UsageLimits(
        request_limit=limits.requests,
        tool_calls_limit=limits.tool_calls,
        total_tokens_limit=limits.tokens,
    )
