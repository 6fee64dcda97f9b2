"""What every request to a model has to be like: its form, its order, and what is not in it."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from agent.prompt import standing
from connectors.entry import Entry, leaves
from tests.agent.openai_server import Body

KEYS = {
    "messages",
    "model",
    "tools",
    "tool_choice",
    "temperature",
    "max_completion_tokens",
    "max_tokens",
    "stream",
}
TOLD = re.compile(
    r"Today is \d{4}-\d\d-\d\d\. The record:"
    r'|@[\w.-]+: (<present>|<empty>|<missing>|null|true|false|-?\d[\d.]*|"[^"\n]*")'
    r"|What \w+ answered: .*"
)


@dataclass(frozen=True)
class Rules:
    """Of one integration: its text, the tools in their order, and what may never leave.

    `denied`: parts of paths of which not even a handle is told.
    """

    text: str
    tools: Sequence[str]
    secrets: Collection[str]
    denied: Collection[str] = ()

    def __call__(self, body: Body) -> list[str]:
        return [*self._form(body), *self._order(body), *self._content(body)]

    def _form(self, body: Body) -> Iterator[str]:
        if unknown := set(body) - KEYS:
            yield f"unknown keys: {sorted(unknown)}"
        if body.get("temperature") != 0 or not body.get("max_completion_tokens"):
            yield "settings: no temperature of 0, or no limit of the answer"
        if body.get("tool_choice") != "required":
            yield f"tool_choice is {body.get('tool_choice')}"
        for tool in body.get("tools", []):
            for path, schema in objects(tool["function"]["parameters"], tool["function"]["name"]):
                if schema.get("additionalProperties") is not False:
                    yield f"schema: {path} is open"

    def _order(self, body: Body) -> Iterator[str]:
        if [tool["function"]["name"] for tool in body["tools"]] != list(self.tools):
            yield "tools: others, or in another order"
        roles = [message["role"] for message in body["messages"]]
        if roles[:2] != ["system", "user"] or roles[2:3] not in ([], ["assistant"], ["system"]):
            yield f"messages: {' '.join(roles)}"
        if body["messages"][0]["content"].rstrip("\n") != standing(self.text).rstrip("\n"):
            yield "messages: what stands first is not the approved text alone"

    def _content(self, body: Body) -> Iterator[str]:
        for line in str(body["messages"][1]["content"]).split("\n"):
            if not TOLD.fullmatch(line):
                yield "record: a line that is no handle"
            if any(part in line.partition(":")[0] for part in self.denied):
                yield "record: a handle of a denied field"
        said = json.dumps([m for m in body["messages"][1:] if m["role"] != "assistant"], ensure_ascii=False)
        for at, secret in enumerate(self.secrets):
            if secret.casefold() in said.casefold():
                yield f"content: identifier no {at}"
        if re.search(r"\d+ chars", said):
            yield "content: a value's length"


def objects(schema: Mapping[str, Any], at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of a JSON schema, with where it is."""
    if schema.get("type") == "object":
        yield at, schema
    for name, below in schema.items():
        for inner in below if isinstance(below, list) else [below]:
            if isinstance(inner, dict):
                yield from objects(inner, f"{at}.{name}")


def secrets_of(entry: Entry, shown: Collection[str]) -> list[str]:
    """Every text of an entry but those at the shown paths."""
    found: list[tuple[str, JsonValue]] = [(path, value) for path, value in leaves(entry) if path not in shown]
    return [value for _, value in found if isinstance(value, str) and len(value) > 2]
