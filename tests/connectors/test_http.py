"""The limiter and the waits, which all connectors share."""

import threading
import time

from connectors.http import Answer, Limiter, limiter_for


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


def test_a_process_has_one_limiter_for_a_host() -> None:
    assert limiter_for("api.example.com", 5.0) is limiter_for("api.example.com", 5.0)
    assert limiter_for("api.example.com", 5.0) is not limiter_for("other.example.com", 5.0)


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
    assert Answer(429, {"date": "rubbish"}, b"").clock is None
    assert Answer(799, {}, b"").phrase == "799"


def _retry(text: str) -> float | None:
    wait = Answer(429, {"retry-after": text}, b"").retry_after
    return None if wait is None else wait.total_seconds()
