"""Runs a command for as long as its parent lives: `python -m flows.keeper COMMAND …`.

The parent holds the other end of standard input. When it ends, in whatever way, SIGKILL included, the
input closes and the command is ended too: no server is left behind.
"""

import subprocess
import sys
import threading

GRACE = 15.0  # seconds to end by itself


def keep(command: list[str]) -> int:
    """The command's exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # the caller's own command
    threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
    return child.wait()


def _end_with_parent(child: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()
    child.terminate()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
