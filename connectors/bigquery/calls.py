"""How the SDK is called: what may be sent twice is, a few times, and jobs are waited for.

A job's id is chosen before it is sent. If its answer is lost it is sent again under the same id: Google
runs an id once, and says so the second time.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from google.api_core.exceptions import GoogleAPICallError

from connectors.bigquery.failures import NAME, failure
from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Patience

T = TypeVar("T")

JOB: Final = 600.0  # seconds that one job may take, here and at Google
LOOK: Final = 3.0  # seconds between two looks at a running job, at most
TELLING: Final = ("duplicate", "changed_meanwhile")  # refusals that tell what became of an earlier try
Job = Any  # one of the SDK's


@dataclass(frozen=True, slots=True)
class Sending:
    """A job on its way.

    name: the first part of its id, asked for before each try. own: is this job, which has our id, ours?
    """

    name: Callable[[], str]
    send: Callable[[str], object]
    look: Callable[[str], Job]
    own: Callable[[Job], bool] = lambda _: True


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
        except (Rejected, Unauthorized) as refused:
            if doubt and refused.code not in TELLING:
                raise Unknown(refused.code, str(refused)) from refused
            raise
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


def job(sending: Sending, patience: Patience) -> Job:
    """The job when it has succeeded. One that failed for a while is run again, under another id.

    Where somebody else's job has our id, it is waited for, and the next id is taken. Raises Unknown if ours
    may have been taken and its end is not known; Transient and Rejected if it ended without an effect.
    """
    tries, attempt, until = Counter[str](), 1, time.monotonic() + JOB
    while True:
        name = sending.name()
        tries[name] += 1
        done = _ended(f"{name}_{tries[name]}", sending, patience)
        if not sending.own(done):
            if time.monotonic() > until:
                raise Transient("contention", f"{NAME}: others change the table all the time")
            continue
        if done.error_result is None:
            return done
        told: Mapping[str, str] = done.error_result
        trouble = _failure(told, f"{done.job_type} job")
        if not isinstance(trouble, Transient) or trouble.wait or attempt >= patience.attempts:
            raise trouble
        time.sleep(patience.first_wait * 2 ** (attempt - 1))
        attempt += 1


def _ended(id_: str, sending: Sending, patience: Patience) -> Job:
    try:
        repeated(lambda: sending.send(id_), patience)
    except Rejected as error:
        if error.code != "duplicate":
            raise
    until, wait = time.monotonic() + JOB, patience.first_wait
    while True:
        try:
            found = read(lambda: sending.look(id_))
        except (Transient, Rejected, Unauthorized) as error:
            raise Unknown(error.code, f"{error}; a job's end is not known") from error
        if found.state == "DONE":
            return found
        if time.monotonic() > until:
            late = Unknown if sending.own(found) else Transient
            raise late("timed_out", f"{NAME}: a job did not end in time")
        time.sleep(wait)
        wait = min(wait * 1.5, LOOK)


def _sdk(ask: Callable[[], T]) -> T:
    """The SDK reads answers without looking: one of another shape than agreed fails somewhere within.

    It raises an error of its own for a query that failed after a while, with the query in it.
    """
    told: Mapping[str, str] | None = None
    try:
        return ask()
    except GoogleAPICallError as error:
        told = next(iter(cast(Any, error).errors), None)  # it has no types
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, TimeoutError):
        pass
    if told:  # outside of the `except`: that error would carry the answer
        raise _failure(told, "query job")
    raise Unknown("garbled", f"{NAME}: the answer is not what Google sends")


def _failure(told: Mapping[str, str], where: str) -> ConnectorError:
    return failure(told.get("reason", ""), told.get("message", ""), wait=None, where=where)
