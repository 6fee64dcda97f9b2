"""Many programs checked at once, in processes beside this one, while the rest is being read.

A program that was found right is remembered by the hash of everything that the finding depends on, so
that checking a folder again costs no more than reading it.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.check import check_program, key_of, workers
from flows.check.findings import Findings
from flows.check.folder import add_program_line
from flows.check.job import Job

AT_ONCE = 2
REMEMBERED = 5000  # the last so many


class Programs:
    """Checks what is put in; the problems are findings once it is left."""

    def __init__(self, findings: Findings, memory: Path | None) -> None:
        """`memory`: the file of what was found right; nothing is remembered without it."""
        self._findings, self._memory = findings, memory
        self._right = _read(memory)
        self._stack = ExitStack()
        self._threads: ThreadPoolExecutor | None = None
        self._waiting: list[tuple[Job, str | None, Future[list[str]]]] = []

    def __enter__(self) -> Self:
        return self

    def put(self, job: Job) -> None:
        if job.source is None:
            return
        key = key_of(job.source, job.policy, job.writes, job.fields)
        if key in self._right:
            return
        if self._threads is None:
            self._pool = self._stack.enter_context(workers(AT_ONCE))
            self._threads = self._stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        problems = self._threads.submit(
            check_program, job.source, job.policy, job.writes, job.fields, self._pool
        )
        self._waiting.append((job, key, problems))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            for job, key, problems in self._waiting:
                found = problems.result()
                for problem in found:
                    add_program_line(job.path, problem, self._findings)
                if key and not found:
                    self._right[key] = None
        if self._memory and self._waiting:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._memory.write_text("\n".join(list(self._right)[-REMEMBERED:]) + "\n", encoding="ascii")


def _read(memory: Path | None) -> dict[str, None]:
    try:
        return dict.fromkeys(memory.read_text(encoding="ascii").split()) if memory else {}
    except (OSError, ValueError):
        return {}  # it only saves time
