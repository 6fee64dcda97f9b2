"""Deciding by a model: the approved text, one entry as handles, one submitted plan of references."""

import asyncio
from collections.abc import Mapping, Sequence

from pydantic_ai import Agent, ModelRetry, RunContext, ToolOutput
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.usage import UsageLimits

from agent.access import Access
from agent.case import Case, Deciding
from agent.failures import Code, refusal
from agent.gate import Gate
from agent.lookups import lookup_tools
from agent.models import Counted, model_of, settings_of
from agent.plan import Decision, Refused
from agent.policy import Policy
from agent.prompt import View, standing
from agent.tools import SUBMIT, SubmittedPlan, draft_of, plan_type
from agent.ways import Way
from connectors.operation import Lookup, Write

Decides = Agent[Deciding, SubmittedPlan]


class ByModel(Way[Decides]):
    """A model decides: one agent run for each case, and what the gate refuses may be put right."""

    def __init__(
        self,
        model: str | Model,
        text: str,
        *,
        policy: Policy,
        writes: Mapping[str, Write],
        lookups: Mapping[str, Lookup],
        view: View,
        access: Access,
        gate: Gate,
    ) -> None:
        """Raises ValueError if the model cannot be reached so, or the policy does not fit."""
        if isinstance(model, str):
            model_of(model, access)  # thrown away: what cannot be built is to be found now, not at an entry
        self.at_once = access.limits.at_once
        self._model, self._text, self._access = model, text, access
        self._view, self._gate = view, gate
        self._plan = plan_type("reference", policy, writes)
        self._lookups = lookups
        self._tools = lookup_tools(lookups, view.answer, policy.timezone)

    def build(self) -> Decides:
        model = model_of(self._model, self._access) if isinstance(self._model, str) else self._model
        agent = Agent(
            Counted(model),
            output_type=ToolOutput(self._plan, name=SUBMIT, description="Submit the plan for this record."),
            instructions=standing(self._text),
            deps_type=Deciding,
            name=SUBMIT,
            tools=self._tools,
            retries={"tools": 1, "output": self._access.limits.bad_plans},
            model_settings=settings_of(self._access),
            end_strategy="early",
        )
        agent.output_validator(self._check)
        return agent

    async def decide(self, agent: Decides, turns: asyncio.Semaphore, cases: Sequence[Case]) -> list[Decision]:
        decidings = [Deciding(case) for case in cases]
        runs = (self._run(agent, turns, deciding) for deciding in decidings)
        errors = await asyncio.gather(*runs, return_exceptions=True)
        return [_decision(deciding, error) for deciding, error in zip(decidings, errors, strict=True)]

    async def _run(self, agent: Decides, turns: asyncio.Semaphore, deciding: Deciding) -> None:
        case, limits = deciding.case, self._access.limits
        usage = UsageLimits(
            request_limit=limits.requests,
            tool_calls_limit=limits.tool_calls,
            total_tokens_limit=limits.tokens,
        )
        async with turns:
            with deciding.current():
                told = self._view.case(case.entry, case.known, case.today, self._lookups)
                await agent.run(told, deps=deciding, usage_limits=usage, timeout=limits.seconds)

    async def _check(self, run: RunContext[Deciding], plan: SubmittedPlan) -> SubmittedPlan:
        """Put a plan to the gate. The model may put right what was refused; it is told codes and names."""
        deciding = run.deps
        deciding.outcome = None
        if _submissions(run) > 1:
            raise ModelRetry(f"submit one plan: call {SUBMIT} once")
        outcome = self._gate.check(draft_of("reference", plan), deciding.case.entry, deciding.case.today)
        deciding.outcome = outcome
        if isinstance(outcome, Refused):
            raise ModelRetry(f"refused: {outcome.code} {outcome.where}".rstrip())
        return plan


def _submissions(run: RunContext[Deciding]) -> int:
    """How many plans the model submitted in its last answer; all but the first would be dropped unseen."""
    last = run.messages[-1]
    if not isinstance(last, ModelResponse):
        return 0
    return sum(isinstance(part, ToolCallPart) and part.tool_name == SUBMIT for part in last.parts)


def _decision(deciding: Deciding, error: BaseException | None) -> Decision:
    outcome = deciding.outcome
    invalid = Refused(code=Code.MODEL_OUTPUT_INVALID.value)
    if error is not None:
        failed = refusal(error)
        if failed.code != Code.MODEL_OUTPUT_INVALID:
            outcome = failed
        elif not isinstance(outcome, Refused):  # else what the gate said last tells more
            outcome = invalid
    return Decision(outcome=outcome or invalid, model_requests=deciding.model_requests)
