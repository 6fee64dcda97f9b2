"""How the SDK is called: what may be sent twice is, a few times, and jobs are waited for.

A job's id is chosen before it is sent. If its answer is lost it is sent again under the same id: Google
runs an id once, and says so the second time.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from connectors.bigquery.failures import NAME, failure
from connectors.errors import Rejected, Transient, Unknown
from connectors.http import Patience

T = TypeVar("T")

JOB: Final = 600.0  # seconds that one job may take, here and at Google
LOOK: Final = 3.0  # seconds between two looks at a running job, at most


def read(ask: Callable[[], T]) -> T:
    """What a read gives: it applies nothing, so a lost answer is only a matter of time."""
    try:
        return _sdk(ask)
    except Unknown as error:
        raise Transient(error.code, str(error)) from error


def repeated(send: Callable[[], T], patience: Patience) -> T:
    """Send what may be sent twice, a few times. Raises Unknown if any of them may have arrived."""
    attempt, doubt = 1, False
    while True:
        try:
            return _sdk(send)
        except (Transient, Unknown) as trouble:
            doubt = doubt or isinstance(trouble, Unknown)
            wait = trouble.wait.total_seconds() if isinstance(trouble, Transient) and trouble.wait else None
            if attempt >= patience.attempts or (wait or 0) > patience.longest_wait:
                if doubt and isinstance(trouble, Transient):
                    raise Unknown(trouble.code, str(trouble)) from trouble
                raise
        if wait is None:  # else the limiter holds everybody back
            time.sleep(patience.first_wait * 2 ** (attempt - 1))
        attempt += 1


def job(
    name: str, send: Callable[[str], object], look: Callable[[str], Any], patience: Patience
) -> Any:  # one of the SDK's jobs
    """The job when it has succeeded. One that failed for a while is run again, under another id.

    Raises Unknown if it may have been taken and its end is not known; Transient and Rejected if it ended
    without an effect.
    """
    attempt = 1
    while True:
        done = _ended(f"{name}_{attempt}", send, look, patience)
        if done.error_result is None:
            return done
        told: Mapping[str, str] = done.error_result
        where = f"{done.job_type} job"
        trouble = failure(told.get("reason", ""), told.get("message", ""), wait=None, where=where)
        if not isinstance(trouble, Transient) or trouble.wait or attempt >= patience.attempts:
            raise trouble
        time.sleep(patience.first_wait * 2 ** (attempt - 1))
        attempt += 1


def _ended(id_: str, send: Callable[[str], object], look: Callable[[str], Any], patience: Patience) -> Any:
    try:
        repeated(lambda: send(id_), patience)
    except Rejected as error:
        if error.code != "duplicate":
            raise
    until, wait = time.monotonic() + JOB, patience.first_wait
    while True:
        try:
            found = read(lambda: look(id_))
        except (Transient, Rejected) as error:
            raise Unknown(error.code, f"{error}; a job's end is not known") from error
        if found.state == "DONE":
            return found
        if time.monotonic() > until:
            raise Unknown("timed_out", f"{NAME}: a job did not end in time")
        time.sleep(wait)
        wait = min(wait * 1.5, LOOK)


def _sdk(ask: Callable[[], T]) -> T:
    """The SDK reads answers without looking: one of another shape than agreed fails somewhere within."""
    try:
        return ask()
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, TimeoutError):
        pass  # outside of the `except`: that error would carry the answer
    raise Unknown("garbled", f"{NAME}: the answer is not what Google sends")
