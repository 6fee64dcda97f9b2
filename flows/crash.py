"""Crash points: named places where a test may kill the process, to prove that nothing is lost there.

Without FERRY_CRASH_AT in the environment they do nothing. With it, the process sends itself SIGKILL
(FERRY_CRASH_SIGNAL: another signal, such as SIGSTOP) at that crash point, by its number from 1 or by its
name (the first of that name); FERRY_CRASH_LOG names a file that gets the points' names.
"""

import itertools
import os
import signal
import time
from pathlib import Path

DELIVERED = 0.5  # seconds; of several threads another may take the signal, while this one must go no further
_count = itertools.count(1)
_met: set[str] = set()


def crashpoint(name: str) -> None:
    at = os.environ.get("FERRY_CRASH_AT")
    if at is None:
        return
    number = next(_count)
    if log := os.environ.get("FERRY_CRASH_LOG"):
        with Path(log).open("a") as file:
            file.write(f"{number} {name}\n")
    first = name not in _met
    _met.add(name)
    if at == str(number) or (at == name and first):
        os.kill(os.getpid(), signal.Signals[os.environ.get("FERRY_CRASH_SIGNAL", "SIGKILL")])
        time.sleep(DELIVERED)
