"""The one boundary between entries and everything that keeps words: Prefect, logs, the terminal.

Whatever goes wrong inside an entry's task leaves as a code. Exceptions of libraries carry values in
their texts, causes and contexts; none of that passes.
"""

import logging
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from agent.gate import PolicyError
from agent.instructions import InstructionsError
from connectors.errors import ConnectorError
from flows.errors import Spoken

Value = TypeVar("Value")
OURS = Path(__file__).parent.parent

LOUD = (
    *("httpx", "httpcore", "urllib3", "gql", "sqlalchemy", "pymongo", "openai", "anthropic", "google_genai"),
    *("boto3", "botocore", "s3transfer", "redshift_connector"),
)

SPEAKING = (Spoken, InstructionsError, PolicyError)
"""Our own errors whose one-line message is made for people and holds no patient data."""


class CodedFailure(Exception):
    """Something failed. `code` is a closed word or a place in our code; no value is in it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def guarded(act: Callable[[], Value]) -> Value:
    """What `act` gives. Every exception of it leaves as CodedFailure, without cause and context."""
    try:
        return act()
    except CodedFailure as failure:
        code, message = failure.code, str(failure).removeprefix(f"{failure.code}: ")
    except ConnectorError as error:
        code, message = error.code, str(error)
    except SPEAKING as error:
        code, message = _word(type(error).__name__), str(error)
    except BaseException as error:  # the boundary: whatever it is, its text stays here
        if _is_signal(error):
            raise
        code, message = "internal_error", f"{type(error).__name__} at {place_of(error.__traceback__)}"
    raise CodedFailure(code, message)  # outside of the except: no context is kept


def _is_signal(error: BaseException) -> bool:
    """An end that somebody asked for. Prefect's is told by its name: importing Prefect takes two seconds."""
    prefects = any(kind.__name__ == "PrefectSignal" for kind in type(error).__mro__)
    return prefects or isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit))


def place_of(trace: TracebackType | None) -> str:
    """Where in our own code it happened: `flows/decide.py:57`."""
    frames = traceback.extract_tb(trace)
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(OURS) and ".venv" not in path.parts:
            return f"{path.relative_to(OURS)}:{frame.lineno}"
    return "an unknown place"


def _word(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")


class Fence(logging.Filter):
    """Lets through, of a record that is not ours, only who spoke, how loud, and of which exception.

    A library's message may hold a value; its format string and arguments are dropped. Prefect's own
    records about runs are kept: they name runs, tasks and states.
    """

    KEPT = ("ferry", "prefect.flow_runs", "prefect.task_runs")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            record.msg, record.args = f"{kind.__name__} at {place_of(trace)}", ()
        elif not record.name.startswith(self.KEPT):
            record.msg, record.args = (
                f"(message withheld) {record.pathname.rsplit('/', 1)[-1]}:{record.lineno}",
                (),
            )
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        return True


def raise_fence() -> None:
    """Put the fence before every handler of this process, and before uncaught exceptions and warnings."""
    fence = Fence()
    for logger in [logging.getLogger(), *_named_loggers()]:
        for handler in logger.handlers:
            if not any(isinstance(present, Fence) for present in handler.filters):
                handler.addFilter(fence)
    quiet()
    sys.excepthook = _say_where
    warnings.showwarning = _drop_warning


def quiet() -> None:
    """Keep still the libraries that log what they send and get: a handler made later has no fence."""
    for loud in LOUD:
        logging.getLogger(loud).setLevel(logging.WARNING)


def _named_loggers() -> list[logging.Logger]:
    return [one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)]


def _say_where(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("interrupted; what was planned is kept and goes on with the next run\n")
    else:
        sys.stderr.write(f"internal_error: {kind.__name__} at {place_of(trace)}; report this line\n")


def _drop_warning(*_arguments: object, **_named: object) -> None:
    """Warnings of libraries quote values; they are for tests, where they are errors."""
