"""Hostile programs: they end within their limits, and find nothing of the entry before."""

import time
from typing import Any

import pytest

from agent.plan import Plan, Refused
from tests.agent.desk import ANA, by_program, case

SECRET = "Zebulon-4711"
SECONDS = 2.5  # the limit is 0.5 s; a worker that has to be killed and a busy machine take longer

STOPPED = {"program_timeout", "program_memory", "program_error", "program_output_invalid"}
FOR_EVER = "while True:\n        try:\n            {}\n        except BaseException:\n            pass"

HOSTILE: dict[str, tuple[str, set[str]]] = {
    "endless loop": ("while True:\n        pass", {"program_timeout"}),
    "swallow all exceptions, for ever": (FOR_EVER.format("raise ValueError('x')"), {"program_timeout"}),
    "swallow a missing name, for ever": (FOR_EVER.format("nothing()"), STOPPED),
    "memory bomb": ("x = [entry]\n    while True:\n        x = x + x", {"program_memory"}),
    "recursion": ("f = lambda n: f(n + 1)\n    f(0)", {"program_recursion"}),
    "regular expression": (
        "import re\n    while True:\n        re.match(r'(a|a)*(a|aa)+$', 'a' * 5000 + 'b')",
        {"program_timeout", "program_error"},
    ),
    "sleep": ("import time\n    while True:\n        time.sleep(3600)", STOPPED),
    "huge output": ("return skip('S1', 'x' * 40_000_000)", {"program_output_invalid", "program_memory"}),
    "integer power": ("x = 7 ** 7 ** 7 ** 7", STOPPED),
    "nested comprehension": (
        "x = [[[[0 for a in range(999)] for b in range(999)] for c in range(999)] for d in range(999)]",
        {"program_memory", "program_timeout"},
    ),
    "import": ("import subprocess\n    subprocess.run(['id'])", {"program_error"}),
    "file": ("open('/proc/self/environ').read()", {"program_error"}),
    "network": ("import urllib.request\n    urllib.request.urlopen('http://127.0.0.1')", {"program_error"}),
    "endless transforms": ("while True:\n        lower('A')", STOPPED),
    "endless transforms, swallowed": (FOR_EVER.format("title('a b ' * 20_000)"), STOPPED),
    "transforms of too much": (FOR_EVER.format("json({str(n): 'x' * 90 for n in range(4999)})"), STOPPED),
    "a transform of what is too deep": (
        "x = []\n    for _ in range(9000):\n        x = [x]\n    json(x)[0]",
        STOPPED,
    ),
    "a transform of itself": ("x = []\n    x.append(x)\n    join_space(*json(x))", STOPPED),
    "a transform of half a letter": ("join_space(*upper(chr(0xD800)))", STOPPED),
    "a transform's own class": ("x = lower.__class__.__mro__", {"program_error"}),
    "the host's own functions": ("x = lower.__globals__", {"program_error"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_ends_within_its_limits(name: str) -> None:
    body, codes = HOSTILE[name]
    good = "    if entry['id'] != 'bad':\n        return skip('S3', 'no_name')\n"
    decider = by_program(f"def decide(entry, today):\n{good}    {body}\n")
    decider.decide([case()])  # the worker is there
    begun = time.monotonic()
    bad, after = decider.decide([case({**ANA, "id": "bad", "first_name": SECRET}), case()])
    spent = time.monotonic() - begun
    decider.close()

    assert isinstance(bad.outcome, Refused), bad
    assert bad.outcome.code in codes
    assert SECRET not in repr(bad)
    assert isinstance(after.outcome, Plan), after
    assert spent < SECONDS


PLANT = """\
    kept.append(entry["email"])
    kept_default(entry["email"])
    Kept.value = entry["email"]
    globals_ = entry
    for plant in (
        lambda: setattr(decide, "kept", entry), lambda: setattr(MISSING, "kept", entry),
        lambda: setattr(json, "kept", entry), lambda: setattr(dict, "kept", entry),
        lambda: random.seed(entry["email"]), lambda: os.environ.update(kept=entry["email"]),
        lambda: os.putenv("kept", entry["email"]), lambda: open("/tmp/kept", "w").write(entry["email"]),
        lambda: print(entry["email"]), lambda: re.compile(entry["email"]), lambda: lower(entry["email"]),
    ):
        try:
            plant()
        except BaseException:
            pass
    return skip("S3", "no_name")
"""

HUNT = """\
    found = [repr(kept), repr(kept_default()), repr(getattr(Kept, "value", "")), str(random.random())]
    for hunt in (
        lambda: globals_, lambda: entry_before, lambda: decide.kept, lambda: MISSING.kept, lambda: json.kept,
        lambda: dict.kept, lambda: dict(os.environ), lambda: os.getenv("kept"),
        lambda: open("/tmp/kept").read(), lambda: open("/proc/self/maps").read(), lambda: globals(),
        lambda: locals(), lambda: vars(), lambda: dir(),
        lambda: [vars(one) for one in (decide, Kept, MISSING)],
        lambda: id(entry), lambda: object.__subclasses__(), lambda: hash(entry["id"]), lambda: lower.__dict__,
        lambda: eval("entry_before"), lambda: (_ for _ in ()).gi_frame, lambda: decide.__globals__,
    ):
        try:
            found.append(repr(hunt()))
        except BaseException as error:
            found.append(repr(error))
    return [warehouse_upsert_patients(because=["S1"], full_name=" ".join(found))]
"""

SPY = f"""\
import json, os, random, re
kept = []
class Kept:
    pass
def kept_default(value=None, held=[]):
    held.append(value)
    return held
def decide(entry, today):
    if entry["id"] == "second":
        return hunt(entry)
{PLANT}
def hunt(entry):
{HUNT}"""


def test_nothing_that_an_entry_left_anywhere_is_found_by_the_next() -> None:
    decider = by_program(SPY)
    first: dict[str, Any] = {**ANA, "id": "first", "email": SECRET}
    decisions = decider.decide(
        [case(first), case({**ANA, "id": "second"}), case(first), case({**ANA, "id": "second"})]
    )
    decider.close()
    planted, hunted, _, again = (decision.outcome for decision in decisions)

    assert isinstance(planted, Plan), planted
    assert isinstance(hunted, Plan), hunted
    found = str(hunted.calls[0].values()["full_name"])
    assert len(found) > 500  # it looked
    assert SECRET not in found
    assert SECRET.casefold() not in found.casefold()
    assert hunted == again  # nor does it know how many there were before
