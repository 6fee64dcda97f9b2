"""Programs are read as trees in several threads at once: each gets its own, whole."""

import ast
import gc
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent import syntax

DEEP = "x = " + "+".join(["(1" + ",(2" * 20 + ")" * 20 + ")"] * 10)


@pytest.fixture
def other_threads_come_in_between() -> Iterator[None]:
    """While a tree is made, Python collects garbage, and lets others go on."""

    def let_go(_phase: str, _info: Mapping[str, int]) -> None:
        time.sleep(0)

    before = gc.get_threshold()
    gc.callbacks.append(let_go)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*before)
    gc.callbacks.remove(let_go)


@pytest.mark.usefixtures("other_threads_come_in_between")
def test_threads_that_read_at_once_each_get_their_tree() -> None:
    with ThreadPoolExecutor(4) as threads:
        trees = list(threads.map(syntax.program, [DEEP] * 40))

    assert {ast.unparse(tree) for tree in trees} == {ast.unparse(ast.parse(DEEP))}
