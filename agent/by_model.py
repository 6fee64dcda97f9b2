"""Deciding by a model: the approved text, one entry as handles, one submitted plan of references."""

import asyncio
from collections.abc import Mapping, Sequence

from pydantic_ai import Agent, ModelRetry, RunContext, ToolOutput
from pydantic_ai.capabilities import Caching
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.usage import UsageLimits

from agent.case import Case, Deciding
from agent.failures import Code, refusal
from agent.gate import Gate
from agent.lookups import lookup_tools
from agent.metered import Terms
from agent.models import asked, settings_of
from agent.plan import Decision, Refused
from agent.policy import Policy
from agent.prompt import View, standing
from agent.tools import SUBMIT, SubmittedPlan, draft_of, plan_type
from agent.ways import Way
from connectors.operation import Lookup, Write

AT_ONCE_IN_BATCHES = 10_000  # they wait for their batch, and cost nothing meanwhile

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
        terms: Terms,
        gate: Gate,
    ) -> None:
        """Raises ValueError if the model may not be asked or reached so, or the policy does not fit."""
        asked(model, terms)  # thrown away: what cannot be built is to be found now, not at an entry
        self._limits = terms.access.limits
        self.at_once = AT_ONCE_IN_BATCHES if terms.batch else self._limits.at_once
        self._model, self._text, self._terms = model, text, terms
        self._view, self._gate = view, gate
        self._plan = plan_type("reference", policy, writes)
        self._lookups = lookups
        self._tools = lookup_tools(lookups, view.answer, policy.timezone)

    def build(self) -> Decides:
        agent = Agent(
            asked(self._model, self._terms),
            output_type=ToolOutput(self._plan, name=SUBMIT, description="Submit the plan for this record."),
            instructions=standing(self._text),
            deps_type=Deciding,
            name=SUBMIT,
            tools=self._tools,
            retries={"tools": 1, "output": self._limits.bad_plans},
            model_settings=settings_of(self._terms),
            capabilities=[Caching(messages=False)],  # what comes first is the same for every entry
            end_strategy="early",
        )
        agent.instrument = False  # whatever is instrumented elsewhere: an entry is in no trace
        agent.output_validator(self._check)
        return agent

    async def decide(self, agent: Decides, turns: asyncio.Semaphore, cases: Sequence[Case]) -> list[Decision]:
        decidings = [Deciding(case) for case in cases]
        runs = (self._run(agent, turns, deciding) for deciding in decidings)
        errors = await asyncio.gather(*runs, return_exceptions=True)
        return [_decision(deciding, error) for deciding, error in zip(decidings, errors, strict=True)]

    async def _run(self, agent: Decides, turns: asyncio.Semaphore, deciding: Deciding) -> None:
        case, limits = deciding.case, self._limits
        usage = UsageLimits(
            request_limit=limits.requests,
            tool_calls_limit=limits.tool_calls,
            total_tokens_limit=limits.tokens,
        )
        batch = self._terms.batch
        seconds = batch.within.total_seconds() if batch else limits.seconds
        async with turns:
            with deciding.current():
                told = self._view.case(case.entry, case.known, case.today, self._lookups)
                await agent.run(told, deps=deciding, usage_limits=usage, timeout=seconds)

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
