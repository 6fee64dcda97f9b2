"""Answers of a batch as a careless vendor gives them: in another order, one missing, one given twice."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import JsonValue

from connectors.sandbox.proxy import Proxy
from tests.connectors.every import Case, World

Pairs = list[tuple[str, JsonValue]]
Change = Callable[[list[JsonValue] | Pairs], object]


def reordered(answers: list[JsonValue] | Pairs) -> None:
    answers.reverse()


def missing(answers: list[JsonValue] | Pairs) -> None:
    answers.pop()


def merged(answers: list[JsonValue] | Pairs) -> None:
    """The first one stands for the last one, too."""
    answers[-1] = answers[0]  # type: ignore[assignment]  # of the same list


@contextmanager
def changed(case: Case, world: World, change: Change) -> Iterator[None]:
    """Every answer to several items is changed so. Fails if there was none."""
    assert case.answers is not None
    assert isinstance(world.proxy, Proxy)
    find, times = case.answers, 0

    def amend(path: str, body: bytes) -> bytes:
        nonlocal times
        try:
            answer: JsonValue = json.loads(body)
        except ValueError:
            return body
        found = find(path, answer)
        if not found or len(found) < 2:
            return body
        times += 1
        if isinstance(found, dict):
            pairs: Pairs = list(found.items())
            change(pairs)
            found.clear()
            found.update(pairs)
        else:
            change(found)
        return json.dumps(answer).encode()

    world.proxy.amend(amend)
    try:
        yield
    finally:
        world.proxy.amend(None)
    assert times, "no answer to several items came by"
