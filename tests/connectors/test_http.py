"""The limiter and the waits, which all connectors share."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.http import Answer, Limiter, limiter_for
from connectors.turns import Turns


def test_turns_are_evenly_spaced_over_all_threads() -> None:
    limiter = Limiter(rate=100.0)
    waits: list[float] = []
    lock = threading.Lock()

    def take() -> None:
        wait = limiter.turn(longest=60.0)
        with lock:
            waits.append(wait)

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 0.19 - 0.1 < max(waits) <= 0.19  # twenty turns, ten milliseconds apart
    assert len({round(wait, 4) for wait in waits}) > 10


def test_a_wait_that_is_too_long_is_refused_and_takes_no_turn() -> None:
    limiter = Limiter(rate=None)
    limiter.pause(100.0)

    assert -100.0 <= limiter.turn(longest=5.0) < -99.0
    assert 99.0 < limiter.turn(longest=200.0) <= 100.0


def test_all_connectors_to_one_place_take_turns_whatever_their_rate() -> None:
    limiter_for("http://127.0.0.1:1 here", 5.0).pause(60.0)

    assert limiter_for("http://127.0.0.1:1 here", None).turn(1.0) < -59.0
    assert limiter_for("http://127.0.0.1:1 here", 2.0).turn(1.0) < -59.0
    assert limiter_for("http://127.0.0.1:1 there", 5.0).turn(1.0) == 0.0


def test_runs_are_processes_and_share_a_limiter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limiter_for("api.example.com one", 5.0).pause(60.0)
    ask = "from connectors.http import limiter_for as of; print(of(f'api.example.com {name}', 1.0).turn(1.0))"
    waits = [
        float(_told(ask.replace("{name}", name), {**os.environ, "TMPDIR": str(tmp_path)}))
        for name in ("one", "two")
    ]

    assert -60.0 <= waits[0] < 0.0
    assert waits[1] == 0.0
    [folder] = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not any("example" in file.name for file in folder.iterdir())


def test_a_limiter_whose_file_is_of_no_use_is_the_process_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = Turns("api.example.com"), Turns("api.example.com")
    with first as turns:
        turns.next = time.monotonic() + 1e9  # of another boot, or of nobody
    with second as turns:
        assert turns.next == 0.0
    (tmp_path / f"ferry-{os.getuid()}").chmod(0)
    with second as turns:
        turns.next = 5.0
    with second as turns:
        assert turns.next == 5.0


def _told(code: str, environment: Mapping[str, str]) -> str:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_without_a_limit_nobody_waits() -> None:
    limiter = Limiter(rate=None)
    started = time.monotonic()

    assert [limiter.turn(1.0) for _ in range(1000)] == [0.0] * 1000
    assert time.monotonic() - started < 1.0


def test_retry_after_is_seconds_or_a_date() -> None:
    assert _retry("7") == 7.0
    assert _retry("0") == 0.0
    assert _retry("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert _retry("soon") is None
    assert _retry("") is None
    theirs = {"date": "Wed, 21 Oct 2015 07:27:30 GMT", "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert Answer(429, theirs, b"").retry_after == timedelta(seconds=30)  # by the source's own clock
    assert Answer(429, {"date": "rubbish"}, b"").clock is None
    assert Answer(799, {}, b"").phrase == "799"


def _retry(text: str) -> float | None:
    wait = Answer(429, {"retry-after": text}, b"").retry_after
    return None if wait is None else wait.total_seconds()
