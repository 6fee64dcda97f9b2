"""What holds for every test: no real model, no Prefect telemetry, and in CI no skip."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.engines import postgres, prefect  # noqa: F401  # for every test

ENDED = "ferry/ended"

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

# On busy cores an example takes what it takes: how long it may is no property of the code.
settings.register_profile("ferry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ferry")


def pytest_sessionstart(session: pytest.Session) -> None:
    _note_ending(session, None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note how it ended: of one that broke off, a short list of failures says nothing. See tests/again.py."""
    _note_ending(session, int(exitstatus))


def _note_ending(session: pytest.Session, how: int | None) -> None:
    config = session.config
    if not hasattr(config, "workerinput") and hasattr(config, "cache"):  # where tests are handed out
        config.cache.set(ENDED, how)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With FERRY_NO_SKIPS, as CI has it, a test that skips has failed: what it needs was to be there."""
    report = yield
    strict = bool(os.environ.get("FERRY_NO_SKIPS")) and item.get_closest_marker("live") is None
    if strict and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may skip: {report.longrepr}"
    return report
