"""A forked child that says something, and surely ends."""

import os
import signal
import warnings
from collections.abc import Callable


def said_by_a_fork(child: Callable[[], bytes], meanwhile: Callable[[], None] = lambda: None) -> bytes:
    """What `child` returned in a fork of this process, or what it raised. It is killed after 20 s.

    `meanwhile` runs in this process while the child runs.
    """
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # from 3.12 on: the process has threads, that is the point
        pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        said = b"nothing"
        try:
            said = child()
        except Exception as error:  # noqa: BLE001 - told to the parent, which looks at it
            said = f"{type(error).__name__}: {error}".encode()
        finally:
            os.write(write, said)
            os._exit(0)
    os.close(write)
    meanwhile()
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer
