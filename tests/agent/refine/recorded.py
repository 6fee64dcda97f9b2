"""A refining model that answers from a recording, and looks at each request before it does.

A recording is a list: what is asked for, what the request must hold and must not, and the answers in turn.
"""

import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from agent.refine import telling
from agent.refine.asking import SUBMIT
from agent.refine.draft import DraftedExamples, DraftedProgram, DraftedSentences
from tests.agent.openai_server import Body, Reply, calls

KINDS = {
    "sentences": (telling.SENTENCES, DraftedSentences),
    "program": (telling.PROGRAM, DraftedProgram),
    "examples": (telling.EXAMPLES, DraftedExamples),
}


@dataclass
class Recording:
    """Answers requests. `wrong`: what was not as it had to be; `asked`: how often each was asked for."""

    path: Path
    wrong: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.recorded = {one["asks"]: one for one in yaml.safe_load(self.path.read_text())}

    def __call__(self, body: Body) -> Reply:
        with self.lock:
            kind, told = self._looked_at(body)
            recorded = self.recorded.get(kind)
            at = self.asked[kind]
            self.asked[kind] += 1
            if recorded is None or at >= len(recorded["answers"]):
                self.wrong.append(f"{kind}: asked {at + 1} times, which is not recorded")
                return Reply(status=400)
            self.wrong += [f"{kind}: lacks {one!r}" for one in recorded.get("holds", ()) if one not in told]
            self.wrong += [f"{kind}: holds {one!r}" for one in recorded.get("lacks", ()) if one in told]
            return calls((SUBMIT, recorded["answers"][at]))

    def used_up(self) -> bool:
        """Whether every recorded answer was asked for."""
        return all(self.asked[kind] == len(one["answers"]) for kind, one in self.recorded.items())

    def _looked_at(self, body: Body) -> tuple[str, str]:
        system, user = body["messages"][0], body["messages"][1]
        kind = next((name for name, (rules, _) in KINDS.items() if system["content"] == rules.strip()), "")
        if not kind or system["role"] not in ("system", "developer") or user["role"] != "user":
            self.wrong.append(
                "the rules are not the first message, word by word, or the rest does not follow"
            )
            return "", ""
        self._check_tool(kind, body)
        if kind == "program":
            found = re.search(r"Candidate ([0-9]+) of", user["content"])
            kind = f"program {found[1]}" if found else kind
        if "## What no example shows yet" in user["content"]:
            kind = "branches"
        return kind, user["content"]

    def _check_tool(self, kind: str, body: Body) -> None:
        tools: list[Any] = body["tools"]
        names = [one["function"]["name"] for one in tools]
        if names != [SUBMIT] or body.get("tool_choice") not in ("required", {"type": "function"}):
            self.wrong.append(f"{kind}: tools {names}, choice {body.get('tool_choice')}")
        schema = tools[0]["function"]
        if schema.get("strict") or set(schema["parameters"]["properties"]) != set(
            KINDS[kind][1].model_fields
        ):
            self.wrong.append(f"{kind}: another schema than that of the draft")
