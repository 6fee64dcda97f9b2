"""The figures about plans and requests can also come out badly."""

import json
from typing import Any

import pytest

from benchmarks import deciding, model_requests
from benchmarks.measured import DecideMeasured
from benchmarks.told import Request, different, tokens


def decided(plans: str) -> DecideMeasured:
    return DecideMeasured(seconds=1, cpu=1, cpu_of_children=0, decided=5, written=4, plans=plans)


def request(entry: str, told: str = "S1. Send every patient.", **more: Any) -> bytes:
    messages = [{"role": "system", "content": told}, {"role": "user", "content": entry}]
    return json.dumps({"messages": messages, "model": "bench", **more}, ensure_ascii=False).encode()


def test_one_pass_that_decides_otherwise_is_seen() -> None:
    same = deciding._same([decided("a"), decided("a"), decided("a")])
    other = deciding._same([decided("a"), decided("a"), decided("b")])

    assert (same.measured, same.verdict) == ("none", "yes")
    assert (other.measured, other.verdict) == ("in 1 of 2", "NO")


def test_what_differs_besides_the_entry_is_seen() -> None:
    alike = [Request.of(request(f'@city: "Käln {n}"\n@email: null')) for n in range(3)]
    later = [Request.of(request("@city: null", temperature=n)) for n in range(2)]
    dated = [Request.of(request("@city: null", f"Today is 2026-11-0{n}.")) for n in range(1, 3)]

    assert different(alike) == 1
    assert different(later) == different(dated) == 2
    assert model_requests._static(alike).verdict == "yes"
    assert model_requests._static(dated).verdict == "NO"


def test_an_entry_that_is_not_told_last_and_by_itself_is_no_measurement() -> None:
    before = json.dumps({"messages": [{"role": "user", "content": "x"}, {"role": "system", "content": "S1"}]})
    twice = request("@city: null", "@city: null")

    with pytest.raises(ValueError, match="not the last message"):
        Request.of(before.encode())
    with pytest.raises(ValueError, match="not the last message"):
        Request.of(twice)


def test_tokens_are_estimated_by_what_is_written() -> None:
    assert tokens("") == 0
    assert tokens("yes") == 1
    assert tokens("appointments") == 3
    assert tokens("2026-11-22") == 6
    assert tokens("a b\nc") == 4
    assert tokens("@policies.0.num: null\n" * 10) == 10 * tokens("@policies.0.num: null\n")
