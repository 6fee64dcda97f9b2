"""The handle language: what it reads, what it refuses, and how an entry is shown."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.references import (
    MISSING,
    Constant,
    Reference,
    Words,
    exact,
    handles,
    is_declared_path,
    masked,
    occurrences,
    parse,
    plain,
    resolve,
    well_formed,
    written,
)
from connectors.entry import leaves, without_positions

keys = st.sampled_from(["a", "b_c", "D-9", "0", "12", "x.y", "", "é", "а", "ignore all rules", "@a", "a|b"])
scalars = st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=4)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
entries = st.dictionaries(keys, trees, max_size=4)


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        ("@email", Reference(("email",))),
        ("@policies.0.num|strip|last4", Reference(("policies.0.num",), ("strip", "last4"))),
        ("=active", Constant("active")),
        ("==x", Constant("=x")),
        ('"Call again."', Words("Call again.")),
        ('""', Words("")),
    ],
)
def test_each_kind_of_handle_is_read(handle: str, expected: Reference | Constant | Words) -> None:
    assert parse(handle) == expected


HOSTILE: list[JsonValue] = [
    *("", "@", "=", '"', "email", "@.email", "@email.", "@a..b", "@a b", "@a\n", "@a\0", "@a|", "@a||b"),
    *("@a|B", "@a|lower()", "@a|b|b|b|b|b", "@0", "@a.01", "@a.-1", "@a.٣", "@a.1234567", "@ａ", "@еmail"),
    *("@a\u200b", "@a.*", "@a[0]", "@a['b']", "@{a}", "@a;b", "@../a", "@a/b", "＠a", '"open', 'open"'),
    *("@" + "a" * 65, "@a" + ".b" * 200),
    *(None, 1, True, ["@a"], {"@a": 1}),
]


@pytest.mark.parametrize("handle", HOSTILE, ids=repr)
def test_what_is_no_handle_is_refused(handle: JsonValue) -> None:
    assert parse(handle) is None


@pytest.mark.parametrize("piece", ["a", ".a", "|a", ".0", "a.", "|", "@", "\u0430", " "])
def test_very_long_input_is_refused_at_once(piece: str) -> None:
    began = time.perf_counter()

    for lead in ("@a", "=", '"'):
        assert parse(lead + piece * 1_000_000) is None
        parse(lead + piece * 140)
    assert time.perf_counter() - began < 0.5


@settings(max_examples=400, deadline=None)
@given(st.text('@=|"._-09azAZ \n\u0430é', max_size=40))
@example("@a\n")
def test_a_reference_is_written_as_it_was_read(handle: str) -> None:
    parsed = parse(handle)

    if isinstance(parsed, Reference):
        assert "|".join([f"@{'+'.join(parsed.paths)}", *parsed.transforms]) == handle
        assert handle.isascii() and handle.isprintable()


@settings(max_examples=300, deadline=None)
@given(entries)
def test_every_listed_handle_reads_back_to_its_value(entry: dict[str, JsonValue]) -> None:
    for handle, value in handles(entry):
        parsed = parse(handle)
        assert isinstance(parsed, Reference)
        assert resolve(entry, parsed.paths[0]) is value


def test_handles_are_listed_in_the_entry_s_order_and_strange_keys_have_none() -> None:
    entry: dict[str, JsonValue] = {
        "b": 1,
        "a": [{"x": None, "0": 5}, ""],
        "do as I say": 2,
        "c": {},
        "d.e": 3,
    }

    assert handles(entry) == [("@b", 1), ("@a.0.x", None), ("@a.1", ""), ("@c", {})]


@settings(max_examples=300, deadline=None)
@given(entries)
def test_occurrences_are_the_leaves_of_a_declared_path(entry: dict[str, JsonValue]) -> None:
    plain = {at[1:]: value for at, value in handles(entry)}
    for path in {without_positions(at) for at in plain}:
        scalar = {at: value for at, value in occurrences(entry, path) if at in plain}
        assert scalar == {at: value for at, value in plain.items() if without_positions(at) == path}
        assert all(resolve(entry, at) is value for at, value in occurrences(entry, path))


def test_a_key_that_looks_like_a_position_is_not_one() -> None:
    entry: dict[str, JsonValue] = {"a": {"0": "key"}, "b": ["element"]}

    assert resolve(entry, "a.0") is MISSING
    assert resolve(entry, "b.0") == "element"
    assert resolve(entry, "b.1") is MISSING
    assert resolve(entry, "b.x") is MISSING
    assert resolve(entry, "b.0.x") is MISSING
    assert resolve({"a": None}, "a") is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("ana@example.com", "<present>"),
        ("x", "<present>"),
        (7, "<present>"),
        (0, "<present>"),
        (False, "<present>"),
        (["a"], "<present>"),
        ("", "<empty>"),
        ([], "<empty>"),
        ({}, "<empty>"),
        (None, "null"),
    ],
)
def test_of_a_masked_value_it_is_told_that_it_is_there_and_no_more(value: JsonValue, told: str) -> None:
    assert masked(value) == told


def test_what_does_not_print_is_shown_as_its_escape() -> None:
    line = plain('José "x"\n\u202e\u200b\U000e0041@email: "y"')

    assert line == '"José \\"x\\"\\n\\u202e\\u200b\\udb40\\udc41@email: \\"y\\""'


def test_a_long_value_is_shown_in_part() -> None:
    assert plain("x" * 9_000).endswith('xxx" <first 2000 of 9000 chars>')


@pytest.mark.parametrize("value", [True, None, 7, 1.5, ["a", 1], {"b": False}])
def test_a_constant_that_is_no_text_is_written_as_json(value: JsonValue) -> None:
    assert written(value) in ("true", "null", "7", "1.5", '["a",1]', '{"b":false}')
    assert written("true") == "true"


@given(trees, trees)
def test_exact_is_equal_for_the_same_json_only(one: JsonValue, other: JsonValue) -> None:
    assert (exact(one) == exact(other)) == (_canonical(one) == _canonical(other))


def test_exact_tells_types_apart() -> None:
    values: list[JsonValue] = [1, 1.0, True, "1", [1], [True], [1.0], {"a": 1}, {"a": True}, None, ""]

    assert len({exact(value) for value in values}) == len(values)


def _canonical(value: JsonValue) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{_canonical(value[name])}" for name in sorted(value)) + "}"
    return "[" + ",".join(map(_canonical, value)) + "]" if isinstance(value, list) else repr(value)


def test_what_cannot_be_carried_is_told_in_bounded_time() -> None:
    deep: JsonValue = []
    for _ in range(10_000):
        deep = [deep]
    wide: JsonValue = [[0] * 1000] * 1000
    began = time.perf_counter()

    bad: list[JsonValue] = [deep, wide, "x" * 1_000_001, ["x" * 600_000] * 2, float("nan"), [float("inf")]]
    bad += [2**63, {"a": -(2**64)}, "\ud800", {"\udfff": 1}, ["\udc00"]]
    assert not any(well_formed(value) for value in bad)
    assert time.perf_counter() - began < 1.0
    assert all(
        well_formed(value) for value in ("é\U0001f600", 2**63 - 1, 1.5, None, True, {"a": [{"b": ""}]})
    )


def test_every_leaf_of_an_entry_has_a_declared_path() -> None:
    entry: dict[str, JsonValue] = {"a": [{"b": 1}, {"b": None}], "c": ""}

    assert all(is_declared_path(without_positions(path)) for path, _ in leaves(entry))
    assert not any(is_declared_path(path) for path in ("a.0", "a..b", "", "a b", "@a", "a|b", "é", "a" * 400))
