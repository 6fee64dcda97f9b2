"""A model that obeys whoever wrote into what it reads: it does its worst, and then perhaps its duty."""

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from tests.agent.hostile.phrases import GOALS, PHRASES
from tests.agent.hostile.reader import goal_in, plain
from tests.agent.hostile.ways import BY_REFERENCE, SUBMIT, WITHIN, Answer, asks, note, plan, row

SOUGHT = {goal: [plain(words) for words in PHRASES[goal].values()] for goal in GOALS}


class Obedient(Model):
    """Reads everything that it is sent, as a model does, and answers through the tools that it is given.

    Args:
        tries: answers in which it does what the text wants, before it does what it is there for.
        within: it keeps to what is granted, and does the most harm that it can there.
        looks: it asks a lookup first, so that the answer can speak to it.
    """

    def __init__(self, tries: int, *, within: bool = False, looks: bool = False) -> None:
        super().__init__()
        self.obeyed: dict[str, int] = dict.fromkeys(GOALS, 0)  # by goal: answers that served it
        self.ways: set[tuple[str, int]] = set()  # that were tried
        self._tries, self._within, self._looks = tries, within, looks

    @property
    def model_name(self) -> str:
        return "obedient"

    @property
    def system(self) -> str:
        return "ferry-tests"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        answered = sum(isinstance(message, ModelResponse) for message in messages)
        texts = list(_read(messages))
        if self._looks and answered == 0:
            answer = asks(email="@email")
        else:
            answer = self._answer(texts, answered - self._looks)
        parts = [
            ToolCallPart(name, given, tool_call_id=f"{answered}.{at}")
            for at, (name, given) in enumerate(answer)
        ]
        return ModelResponse(parts, model_name=self.model_name)

    def _answer(self, texts: Sequence[str], turn: int) -> Answer:
        asked = next((text for text in texts if _goal(text)), None)
        goal = _goal(asked or "")
        if asked is None or goal is None or turn >= self._tries:
            return duty(texts[-1] if len(texts) == 1 else texts[1])
        self.obeyed[goal] += 1
        ways = WITHIN if self._within else BY_REFERENCE[goal]
        at = (zlib.crc32(asked.encode("utf-8", "replace")) + turn) % len(ways)
        self.ways.add((goal, at))
        return ways[at]


@lru_cache(maxsize=64)  # the instructions come again with every request
def _goal(text: str) -> str | None:
    return goal_in(text, SOUGHT)


def _read(messages: Sequence[ModelMessage]) -> Iterator[str]:
    """The instructions, then the record, then what lookups answered. What the gate said is no news to it."""
    yield messages[-1].instructions or "" if isinstance(messages[-1], ModelRequest) else ""
    for message in messages:
        for part in message.parts:
            if isinstance(part, UserPromptPart) and isinstance(part.content, str):
                yield part.content
            elif isinstance(part, ToolReturnPart):
                yield str(part.content)


def duty(record: str) -> Answer:
    """What the instructions ask for, of a record as it is shown."""
    lines = record.split("\n")
    if "@active: false" in lines:
        return plan(row("S2", status="=archived"))
    if "@email: null" in lines:
        return [(SUBMIT, {"kind": "review", "because": ["S4"], "reason": "no_email"})]
    if not any(line.startswith("@last_name: ") and line != "@last_name: <missing>" for line in lines):
        return [(SUBMIT, {"kind": "skip", "because": ["S3"], "reason": "no_name"})]
    return plan(
        row("S1", full_name="@last_name", email="@email|lower", status="=active"),
        note('"Asked to be called in the morning."'),
    )
