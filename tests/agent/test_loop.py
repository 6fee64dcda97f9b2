"""The one event loop of a process."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import pytest

from agent import loop
from agent.loop import event_loop
from tests.agent.forked import said_by_a_fork


async def _where() -> tuple[int, int]:
    await asyncio.sleep(0)
    return threading.get_ident(), id(asyncio.get_running_loop())


def test_all_threads_share_one_loop_in_a_thread_of_its_own() -> None:
    found: list[tuple[int, int]] = []

    def ask() -> None:
        found.extend(event_loop().run(_where()) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(found) == 160
    assert len(set(found)) == 1
    assert found[0][0] != threading.get_ident()


def test_the_callers_context_comes_along() -> None:
    colour: ContextVar[str] = ContextVar("colour")
    colour.set("green")

    async def look() -> str:
        return colour.get()

    assert event_loop().run(look()) == "green"


def test_what_is_raised_in_the_loop_is_raised_to_the_caller() -> None:
    async def fail() -> None:
        raise LookupError("nothing")

    with pytest.raises(LookupError, match="nothing"):
        event_loop().run(fail())


def test_the_loop_does_not_wait_for_itself() -> None:
    async def within() -> None:
        event_loop().run(_where())

    with pytest.raises(RuntimeError, match="wait for itself"):
        event_loop().run(within())


def test_what_was_entered_is_left_in_reverse_when_the_loop_ends() -> None:
    left: list[str] = []

    @asynccontextmanager
    async def open_(name: str) -> AsyncIterator[None]:
        yield
        left.append(name)

    first, second, third = open_("first"), open_("second"), open_("third")
    running = event_loop()
    for context in (first, second, third):
        running.enter(context)
    running.leave(second)
    running.leave(second)
    loop.close()

    assert left == ["second", "third", "first"]


def test_closing_cancels_what_still_runs_and_the_next_loop_is_new() -> None:
    ended: list[BaseException] = []
    running = event_loop()

    def wait() -> None:
        try:
            running.run(asyncio.sleep(60))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    loop.close()
    thread.join(10)

    assert not thread.is_alive()
    assert len(ended) == 1
    assert "Cancelled" in type(ended[0]).__name__
    assert event_loop() is not running
    with pytest.raises(RuntimeError, match="closed"):
        running.run(_where())


def test_closing_twice_is_closing_once() -> None:
    event_loop()
    loop.close()
    loop.close()


def test_a_forked_child_has_a_loop_of_its_own() -> None:
    parents = event_loop().run(_where())

    def child() -> bytes:
        mine = event_loop()
        mine.run(_where())
        loop.close()
        return b"own" if mine.pid == os.getpid() else b"parents"

    assert said_by_a_fork(child) == b"own"
    assert event_loop().run(_where()) == parents
