"""`ferry` as a person runs it: a process of its own, whose words are kept."""

import os
import subprocess
import sys
from dataclasses import dataclass

from tests.faults.world import ONE_RUN, Practice


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


def started(practice: Practice, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """`ferry <arguments>` on its way; its caller reads and ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows", *arguments],
        env={**os.environ, **practice.environment(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ferry(practice: Practice, *arguments: str, **environment: str) -> Said:
    """`ferry <arguments>` to its end."""
    process = started(practice, *arguments, **environment)
    try:
        out, err = process.communicate(timeout=ONE_RUN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Said(process.returncode, out, err)
