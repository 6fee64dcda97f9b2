"""Each check of the gate is broken in turn: the table of attacks must notice every time."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from agent.plan import Refused
from tests.agent.gate_attacks import ATTACKS
from tests.agent.gate_world import CATEGORIES, ENTRY, TODAY, WRITES, Attack, policy

# In the order in which they import each other.
PARTS = ("refusals", "references", "transforms", "grants", "free_text", "passing", "provenance", "gate")


@dataclass(frozen=True)
class Mutant:
    """One line of one module, broken. `noticed_by`: an attack that must now turn out differently."""

    module: str
    line: str
    broken: str
    noticed_by: str


MUTANTS = [
    Mutant("gate", 'draft.by == "value" and not self._values_allowed', "False", "a model writes values"),
    Mutant("gate", 'draft.kind == "write" and not draft.calls', "False", "a plan without calls"),
    Mutant("gate", 'draft.kind != "write" and draft.calls', "False", "calls beside a skip"),
    Mutant("gate", "draft.reason and draft.reason not in self._reasons", "False", "a reason of its own"),
    Mutant("gate", "len(draft.calls) > self._calls_at_most", "False", "six calls in all"),
    Mutant("gate", "count > self._operations[name].at_most", "False", "four of one"),
    Mutant("gate", "if needed and not because", "if False", "a skip that cites nothing"),
    Mutant("gate", 'needed=draft.kind != "write"', "needed=False", "a review that cites nothing"),
    Mutant("gate", "operation.name, needed=True", "operation.name, needed=False", "a call citing nothing"),
    Mutant("gate", "if not cited:", "if False:", "a value by a sentence that does not speak of it"),
    Mutant("gate", "not self._sentences.issuperset(because)", "False", "a call citing S4"),
    Mutant(
        "gate",
        'raise RefusalError(code, call.operation if known else "")',
        "raise RefusalError(code, call.operation)",
        "an invented operation",
    ),
    Mutant(
        "gate",
        "operation = self._operations.get(call.operation)",
        "operation = next(iter(self._operations.values()))",
        "an ungranted one",
    ),
    Mutant(
        "gate",
        "if name not in operation.arguments",
        "if name not in operation.names",
        "an ungranted argument",
    ),
    Mutant("gate", "argument if argument in operation.names else '?'", "argument", "an invented one"),
    Mutant("gate", "values.keys() != given.keys()", "False", "a model that adds"),
    Mutant("gate", "self._check_records(calls)\n", "pass\n", "one record, two values"),
    Mutant(
        "gate",
        "seen.setdefault((operation.target, record)",
        "seen.setdefault((operation.name, record)",
        "two operations, two values",
    ),
    Mutant("gate", "draft.again_on <= today", "False", "to be decided again today"),
    Mutant("gate", "draft.again_on <= today", "draft.again_on < today", "to be decided again today"),
    Mutant("gate", "call.write.opposite == other.write.name", "False", "an act and its opposite"),
    Mutant("gate", "other.write.opposite == call.write.name", "False", "an opposite before its act"),
    Mutant("gate", "if call.operation == other.operation", "if False", "one call twice"),
    Mutant("provenance", "without_positions(path) not in granted.sources", "False", "another path"),
    Mutant(
        "provenance",
        "not granted.transforms.issuperset(reference.transforms)",
        "False",
        "a transform nobody granted",
    ),
    Mutant(
        "provenance",
        "    if not parts:\n        raise RefusalError(Code.MISSING_VALUE, granted.where)\n",
        "    if not parts:\n        parts = [None]\n",
        "a field that is not there",
    ),
    Mutant(
        "provenance",
        "        raise RefusalError(Code.TRANSFORM_FAILED, granted.where)\n    return made",
        "        made = None\n    return made",
        "a transform that cannot read it",
    ),
    Mutant(
        "provenance", "if parts else Failure.MISSING", "if True else None", "null for what is missing, joined"
    ),
    Mutant("provenance", "if several and not", "if False and not", "two paths and no join first"),
    Mutant("provenance", "        if made == wanted:", "        if True:", "a join the other way round"),
    Mutant("gate", "self._check_judged(draft.judged)\n", "pass\n", "judged by a sentence that asks for none"),
    Mutant("provenance", "not granted.free_text", "False", "words where none are granted"),
    Mutant(
        "provenance",
        "return check_free_text(parsed.text, granted, values.entry)",
        "return parsed.text",
        "a link",
    ),
    Mutant("provenance", "not well_formed(value)", "False", "not a number"),
    Mutant(
        "provenance",
        "wanted in granted.constant_values",
        "granted.constant_values",
        "a constant nobody granted",
    ),
    Mutant(
        "provenance",
        "source = source or granted.computed\n",
        'source = source or Source(kind="computed")\n',
        "another patient's address",
    ),
    Mutant("provenance", "check_passed_on(value, granted, values.entry)", "pass", "a text that passes on"),
    Mutant("passing", "granted.keeps_out(without_positions(path))", "False", "a text that passes on"),
    Mutant("grants", "else found not in allowed", "else False", "a text that passes on"),
    Mutant("references", "return type(value), value", "return object, value", "a constant of another type"),
    Mutant(
        "references",
        "MISSING if _position.fullmatch(part) else value.get(part, MISSING)",
        "value.get(part, MISSING)",
        "a key that looks like a position",
    ),
    Mutant("references", "_reference.fullmatch(handle)", "_reference.match(handle)", "an expression"),
    Mutant("free_text", "len(text) > LENGTH_AT_MOST", "False", "long words"),
    Mutant("free_text", "not text[0].isalnum()", "False", "a formula"),
    Mutant("free_text", "_LINKS.search(text) is None", "True", "a link"),
    Mutant("free_text", "any(says(text, value) for value in others)", "False", "another field in words"),
    Mutant("free_text", "len(digits) >= SHORTEST_NUMBER and", "False and", "a number in words"),
    Mutant("grants", "free_text=grant.free_text", "free_text=True", "words where none are granted"),
    Mutant(
        "grants",
        "transforms=frozenset(grant.transforms)",
        "transforms=frozenset(TRANSFORMS)",
        "a transform nobody granted",
    ),
]


def gate_of(monkeypatch: pytest.MonkeyPatch, mutant: Mutant | None) -> ModuleType:
    """The gate's module, and all below it, loaded afresh from source with one line broken."""
    for part in PARTS:
        path = Path(importlib.import_module(f"agent.{part}").__file__ or "")
        source = path.read_text("utf-8")
        if mutant and mutant.module == part:
            assert source.count(mutant.line) == 1, f"{part}: not found once: {mutant.line}"
            source = source.replace(mutant.line, mutant.broken)
        module = ModuleType(f"agent.{part}")
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def misses(module: ModuleType) -> list[str]:
    """The attacks that do not turn out as they must."""
    gates = {by: module.Gate(policy(by), WRITES, CATEGORIES.get) for by in ("program", "model")}
    return [attack.name for attack in ATTACKS if not _is_right(gates[attack.by], attack)]


def _is_right(gate: object, attack: Attack) -> bool:
    try:
        outcome = gate.check(attack.draft, ENTRY, TODAY)  # type: ignore[attr-defined]
    except (KeyError, TypeError, ValueError, AttributeError):  # a broken gate may fall over as well
        return False
    if isinstance(outcome, Refused):
        return outcome == Refused(code=attack.code, where=attack.where)
    return attack.code == ""


def test_the_gate_as_it_is_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert misses(gate_of(monkeypatch, None)) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.module}: {mutant.line.strip()[:50]}")
def test_a_broken_check_is_noticed(monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    assert mutant.noticed_by in misses(gate_of(monkeypatch, mutant))
