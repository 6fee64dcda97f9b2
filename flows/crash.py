"""Crash points: named places where a test may kill the process, to prove that nothing is lost there.

Without FERRY_CRASH_AT in the environment they do nothing. With it, the process sends itself SIGKILL
(FERRY_CRASH_SIGNAL: another signal, such as SIGSTOP) at that crash point, counted from 1, or the first
time it comes to the point of that name; FERRY_CRASH_LOG names a file that gets the points' names.
"""

import itertools
import os
import signal
import time
from collections import Counter
from pathlib import Path

DELIVERED = 0.5  # seconds; of several threads another may take the signal, while this one must go no further
_count = itertools.count(1)
_met: Counter[str] = Counter()


def crashpoint(name: str) -> None:
    at = os.environ.get("FERRY_CRASH_AT")
    if at is None:
        return
    number = next(_count)
    _met[name] += 1
    if log := os.environ.get("FERRY_CRASH_LOG"):
        with Path(log).open("a") as file:
            file.write(f"{number} {name}\n")
    if at == str(number) or (at == name and _met[name] == 1):
        os.kill(os.getpid(), signal.Signals[os.environ.get("FERRY_CRASH_SIGNAL", "SIGKILL")])
        time.sleep(DELIVERED)
