"""Whatever is submitted: what passes is granted and traceable, what is refused says nothing of the entry."""

import json
from collections import Counter
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.gate import Code, Gate
from agent.plan import Argument, Draft, DraftCall, Plan, Refused
from agent.policy import Grant
from connectors.entry import leaves
from tests.agent.gate_attacks import ATTACKS
from tests.agent.gate_world import CATEGORIES, ENTRY, OTHER_PATIENT, TODAY, WRITES, policy

GATES = {by: Gate(policy(by), WRITES, CATEGORIES.get) for by in ("program", "model")}  # type: ignore[arg-type]
POLICY = policy("program")
NAMES = {name: set(write.arguments.model_fields) for name, write in WRITES.items()}
PLACES = {"", *NAMES, *(f"{name}.{field}" for name, fields in NAMES.items() for field in [*fields, "?"])}
LEAVES = [value for _, value in leaves(ENTRY)]

bombs = st.integers(1, 60).map(lambda depth: json.loads("[" * depth + "]" * depth))
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=30))
paths = st.sampled_from(
    [path for path, _ in leaves(ENTRY)] + ["nickname", "policies.9.id", "policies.id", "__class__"]
)
transforms = st.lists(
    st.sampled_from(["lower", "upper", "e164", "year", "first_word", "eval", "json"]), max_size=3
)
references = st.builds(lambda path, chain: "|".join([f"@{path}", *chain]), paths, transforms)
words = st.sampled_from(
    ["Asked to call back", "Canario", "=HYPERLINK(1)", "See evil.example", "x" * 600, "\u202etxet"]
)
handles = st.one_of(
    references, st.sampled_from(["=active", "=null", "=false", "=7", "=x"]), words.map(lambda w: f'"{w}"')
)
found = st.sampled_from(
    [*LEAVES, *OTHER_PATIENT.values(), "ANABEL", "+14155550101", 1990, "active", "Ana Canario"]
)
values = st.one_of(
    found, found, scalars, bombs, handles, st.lists(scalars, max_size=3), st.just(ENTRY["profile"])
)
operations = st.sampled_from(
    [*WRITES, *WRITES, "crm_refund", "сrm_upsert_contact", "Canario ana@example.com"]
)
cited = st.lists(st.sampled_from(["S1", "S1", "S2", "S9", "s1", "Ｓ1"]), max_size=2).map(tuple)


Mood = Literal["honest", "sly", "wild"]
"""Sly drafts are well-formed with strange values: they get behind the first look."""


@st.composite
def drafts(draw: st.DrawFn, by: Literal["reference", "value"]) -> Draft:
    mood: Mood = draw(st.sampled_from(["honest", "sly", "sly", "wild"]))
    if mood != "wild":
        return Draft(
            by=by, kind="write", calls=tuple(draw(st.lists(_call(by, mood), min_size=1, max_size=2)))
        )
    calls = draw(st.lists(_call(by, mood), min_size=1, max_size=4) | st.lists(_call(by, mood), max_size=30))
    kind = draw(st.sampled_from(["write"] * 8 + ["skip", "review"]))
    reason = draw(st.sampled_from(["", "", "no_consent", "Canario"]))
    return Draft(by=by, kind=kind, calls=tuple(calls), because=draw(cited), reason=reason)


@st.composite
def _call(draw: st.DrawFn, by: str, mood: Mood) -> DraftCall:
    operation = draw(operations if mood == "wild" else st.sampled_from(sorted(POLICY.operations)))
    granted = POLICY.operations[operation].arguments if operation in POLICY.operations else {}
    strange = [*NAMES.get(operation, ()), "patient_id", "Canario", "id"] if mood == "wild" else []
    names = draw(st.lists(st.sampled_from([*sorted(granted) * 3, *strange]), max_size=3, unique=True))
    likely = handles if by == "reference" else found
    arguments: dict[str, Any] = {}
    for name in sorted({*names, "policy_id"}) if mood != "wild" and "policy_id" in granted else names:
        known = _honest(granted[name], by) if name in granted else values
        arguments[name] = draw(known if mood == "honest" else known | likely | values)
    return DraftCall(
        operation=operation, arguments=arguments, because=draw(cited) if mood == "wild" else ("S1",)
    )


def _honest(grant: Grant, by: str) -> st.SearchStrategy[Any]:
    at = [(path, value) for path, value in leaves(ENTRY) if _declared(path) in grant.sources]
    pool: list[Any] = [f"@{path}" if by == "reference" else value for path, value in at]
    pool += [
        f"={json.dumps(c) if not isinstance(c, str) else c}" if by == "reference" else c
        for c in grant.constants
    ]
    return st.sampled_from(pool or ["@id"])


def _declared(path: str) -> str:
    return ".".join(part for part in path.split(".") if part not in "0123456789")


seen: Counter[str] = Counter()


def judge(outcome: Plan | Refused) -> None:
    if isinstance(outcome, Refused):
        seen[outcome.code] += 1
        assert outcome.code in set(Code)
        assert outcome.where in PLACES  # names of ours only, so never a value
        return
    seen["plan"] += 1
    assert outcome.kind == "write" or (not outcome.calls and outcome.because)
    assert outcome.reason in ("", "no_consent") and set(outcome.because) <= {"S1", "S2", "S3"}
    counts = Counter(call.operation for call in outcome.calls)
    for call in outcome.calls:
        grant = POLICY.operations[call.operation]
        assert call.because and set(call.because) <= {"S1", "S2", "S3"}
        assert counts[call.operation] <= grant.at_most
        for name, argument in call.arguments.items():
            assert traceable(argument, grant.arguments[name]), name


def traceable(argument: Argument, grant: Grant) -> bool:
    """The oracle: written without the gate's code, from the policy's words."""
    value, source = argument.value, argument.source
    if source.kind == "constant":
        return any(_alike(value, constant) for constant in grant.constants)
    if source.kind == "free_text":
        told = [str(leaf) for leaf in LEAVES if len(str(leaf)) > 3 and leaf != ENTRY["first_name"]]
        return grant.free_text and not any(leaf.lower() in str(value).lower() for leaf in told)
    if source.kind == "computed":
        return grant.computed and source.paths == grant.sources
    (path,) = source.paths
    leaf: Any = ENTRY
    for part in path.split("."):
        leaf = leaf[int(part)] if isinstance(leaf, list) else leaf[part]
    if _declared(path) not in grant.sources or not set(source.transforms) <= set(grant.transforms):
        return False
    for transform in source.transforms:
        leaf = REWRITTEN[transform](leaf)
    return _alike(value, leaf)


REWRITTEN: dict[str, Any] = {
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "first_word": lambda text: text.split()[0],
    "year": lambda text: int(text[:4]),
    "e164": lambda text: "+1" + "".join(c for c in text if c in "0123456789")[-10:],
}


def _alike(one: JsonValue, other: JsonValue) -> bool:
    return repr(one) == repr(other)  # true is not 1 in a repr


hostile = settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@hostile
@given(drafts("value"))
def test_a_program_s_draft_passes_only_if_every_value_is_traceable(draft: Draft) -> None:
    judge(GATES["program"].check(draft, ENTRY, TODAY))


@hostile
@given(drafts("reference"))
def test_a_model_s_draft_passes_only_if_every_value_is_traceable(draft: Draft) -> None:
    judge(GATES["model"].check(draft, ENTRY, TODAY))


def test_the_hostile_drafts_reached_the_checks_and_some_passed() -> None:
    if not seen:  # run alone: nothing to count
        test_a_program_s_draft_passes_only_if_every_value_is_traceable()
        test_a_model_s_draft_passes_only_if_every_value_is_traceable()

    assert seen["plan"] > 100
    assert len(seen) >= 12, seen


def test_no_refusal_says_anything_of_the_entry_or_the_draft() -> None:
    canaries = [str(value) for value in [*LEAVES, *OTHER_PATIENT.values()] if len(str(value)) > 4]
    refused = [GATES[attack.by].check(attack.draft, ENTRY, TODAY) for attack in ATTACKS if attack.code]

    of_policies = {Code.CATEGORY_NOT_APPROVED, Code.CATEGORY_WITHHELD}  # no gate is made of such a policy
    assert {outcome.code for outcome in refused if isinstance(outcome, Refused)} == set(Code) - of_policies
    for outcome in refused:
        assert not [canary for canary in canaries if canary in outcome.model_dump_json()]
