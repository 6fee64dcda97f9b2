"""The one event loop of a process, in a thread of its own. All agents run there.

An agent's clients are bound to the loop that first used them, so an agent must never be seen by two
loops: synchronous callers hand their work over and wait. A forked child gets a loop of its own.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 10.0  # seconds that closing waits for what still runs


class EventLoop:
    """An event loop and the daemon thread that runs it, until `close`."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()  # for those who open something in this loop
        self._entered: list[AbstractAsyncContextManager[Any]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="ferry-agents", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, run in the loop with the caller's context. Blocks the calling thread.

        Raises what `work` raises, and RuntimeError if called from within the loop, which would wait
        for itself.
        """
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            work.close()
            raise RuntimeError("agents: the event loop is closed, or was asked to wait for itself")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # the caller was interrupted: what it asked for must not go on
            raise

    def enter(self, context: AbstractAsyncContextManager[Any]) -> None:
        """Enter a context in the loop. It is left by `leave`, or when the loop is closed."""
        self.run(context.__aenter__())
        self._entered.append(context)

    def leave(self, context: AbstractAsyncContextManager[Any]) -> None:
        """Leave a context that was entered here; nothing if that is not so, or no longer."""
        if context in self._entered:
            self._entered.remove(context)
            self.run(context.__aexit__(None, None, None))

    def close(self) -> None:
        """Cancel what still runs, leave what was entered, end the thread."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result(PATIENCE)
        for context in reversed(self._entered.copy()):
            self.leave(context)
        asyncio.run_coroutine_threadsafe(_shut_down(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _shut_down() -> None:
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.get_running_loop().shutdown_default_executor()


class _Loops:
    """Which loop belongs to this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: EventLoop | None = None
        # A parent's loops, kept in a forked child: finalising one would touch the parent's sockets.
        self._inherited: list[EventLoop] = []
        self._watching = False

    def current(self) -> EventLoop:
        with self._lock:
            if not self._watching:
                os.register_at_fork(after_in_child=self._forget)
                atexit.register(self.close)
                self._watching = True
            if self._current is None:
                self._current = EventLoop()
            return self._current

    def close(self) -> None:
        with self._lock:
            closing, self._current = self._current, None
        if closing is not None:
            closing.close()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        if self._current is not None:
            self._inherited.append(self._current)
        self._current = None


_LOOPS = _Loops()


def event_loop() -> EventLoop:
    """The loop of this process, started when first asked for."""
    return _LOOPS.current()


def close() -> None:
    """End this process's loop, if there is one. The next `event_loop` starts another."""
    _LOOPS.close()
