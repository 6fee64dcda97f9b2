"""Processes of this machine, as the kernel knows them."""

import os
import signal
from contextlib import suppress
from pathlib import Path


def flow_processes(flow_run: str) -> list[int]:
    """The processes that execute a flow run: the kernel's word, not Prefect's."""
    needle = f"PREFECT__FLOW_RUN_ID={flow_run}".encode()
    return [one for one in processes() if needle in environment_of(one)]


def processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def said_to(pid: int) -> bytes:
    """A process's command line; empty if it has ended."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def environment_of(pid: int) -> list[bytes]:
    try:
        return (Path("/proc") / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def below(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    parents = {one: parent_of(one) for one in processes()}
    found = [pid]
    for known in found:
        found += [one for one, parent in parents.items() if parent == known]
    return found[1:]


def parent_of(pid: int) -> int:
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def is_stopped(pid: int) -> bool:
    """Whether SIGSTOP has reached it."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
    except OSError:
        return False


def kill(pid: int, by: signal.Signals = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, by)
