"""Asking the refining model: one typed answer to one request, which may be put right a few times."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, ToolOutput
from pydantic_ai.models import Model
from pydantic_ai.usage import RunUsage, UsageLimits

from agent.failures import CannotAsk, refusal
from agent.loop import event_loop
from agent.metered import Terms
from agent.models import asked, settings_of

SUBMIT = "submit_draft"
CORRECTIONS = 3  # of one answer
ANSWER_TOKENS = 16_000  # at least: a draft is longer than a plan
TOKENS = 400_000  # of one request with its corrections
SECONDS = 180.0  # at least, for one model request
PROBLEMS_TOLD = 20  # lines, of one answer

Answer = TypeVar("Answer", bound=BaseModel)


class RefiningFailed(ValueError):
    """The model gave nothing that holds. One line; `problems` of its last answer."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Request(Generic[Answer]):
    """What is asked for. `problems`: what is wrong with an answer, one line each."""

    rules: str
    told: str
    wanted: type[Answer]
    problems: Callable[[Answer], Sequence[str]]
    variety: float = 0.0  # temperature: candidates are to differ


@dataclass(slots=True)
class _Last:
    """What was wrong with the last answer."""

    problems: list[str] = field(default_factory=list[str])


class Refiner:
    """A model that drafts. Keeps nothing between requests but `spent`: requests and tokens so far."""

    def __init__(self, model: str | Model, terms: Terms) -> None:
        """Raises RefiningFailed if the model may not be asked, or cannot be reached so."""
        self.spent = RunUsage()
        self._model = model
        longer = {
            "answer_tokens": max(terms.access.answer_tokens, ANSWER_TOKENS),
            "request_timeout": max(terms.access.request_timeout, SECONDS),
        }
        self._terms = replace(terms, access=terms.access.model_copy(update=longer))
        self._built()  # thrown away: what cannot be built is to be found now

    def ask(self, request: Request[Answer]) -> Answer:
        """The answer, checked.

        Raises:
            RefiningFailed: the model does not answer, or its answers stay wrong.
        """
        (answer,) = self.ask_each([request])
        if isinstance(answer, RefiningFailed):
            raise answer
        return answer

    def ask_each(self, requests: Sequence[Request[Answer]]) -> list[Answer | RefiningFailed]:
        """An answer to each request, at the same time and each by itself, or why there is none."""
        return event_loop().run(self._ask_each(requests))

    async def _ask_each(self, requests: Sequence[Request[Answer]]) -> list[Answer | RefiningFailed]:
        lasts = [_Last() for _ in requests]
        runs = (self._ask(request, last) for request, last in zip(requests, lasts, strict=True))
        ended = await asyncio.gather(*runs, return_exceptions=True)
        return [
            _failed(one, last) if isinstance(one, BaseException) else one
            for one, last in zip(ended, lasts, strict=True)
        ]

    async def _ask(self, request: Request[Answer], last: _Last) -> Answer:
        wanted: type[Answer] = request.wanted
        agent = Agent(
            self._built(),
            output_type=ToolOutput(wanted, name=SUBMIT, description="Submit the draft.", strict=False),
            instructions=request.rules,
            name="refine",
            retries={"output": CORRECTIONS},
            model_settings=settings_of(self._terms) | {"temperature": request.variety},
            end_strategy="early",
        )
        agent.instrument = False  # whatever is instrumented elsewhere: a practice's words are in no trace

        async def checked(answer: Answer) -> Answer:
            # A program's check waits for a process of its own; other requests go on meanwhile.
            last.problems = list(await asyncio.to_thread(request.problems, answer))
            if last.problems:
                raise ModelRetry("Put right and submit all of it again:\n" + _told(last.problems))
            return answer

        agent.output_validator(checked)
        limits = UsageLimits(request_limit=CORRECTIONS + 1, total_tokens_limit=TOKENS)
        spent = RunUsage()
        try:
            async with agent:
                return (await agent.run(request.told, usage_limits=limits, usage=spent)).output
        finally:
            self.spent += spent

    def _built(self) -> Model:
        try:
            return asked(self._model, self._terms)
        except CannotAsk as error:
            raise RefiningFailed(f"the refining model cannot be used: {error}") from None


def _told(problems: Sequence[str]) -> str:
    more = len(problems) - PROBLEMS_TOLD
    return "\n".join([*problems[:PROBLEMS_TOLD], *([f"and {more} more"] if more > 0 else [])])


def _failed(error: BaseException, last: _Last) -> RefiningFailed:
    if isinstance(error, RefiningFailed):
        return error
    refused = refusal(error)
    where = f" {refused.where}" if refused.where else ""
    wrong = f"; the last answer: {' '.join(last.problems[0].split())}" if last.problems else ""
    return RefiningFailed(
        f"the refining model gave nothing usable ({refused.code}{where}){wrong}", last.problems
    )
