"""Golden files are read strictly: what two readers of YAML take for different things is refused."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.golden import ExpectedCall, ExpectedPlan, Golden
from flows import golden
from flows.check.findings import Findings
from flows.tenants import IntegrationInvalid

FILE = """\
shows: an archived patient is left alone
today: 2026-03-02
entry:
  active: false
  dob: {dob}
plan: {{kind: skip, because: [S2], reason: archived}}
"""


def put(folder: Path, text: str, name: str = "one.yaml") -> Path:
    path = folder / "golden" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def told(folder: Path) -> list[str]:
    findings = Findings()
    golden.examples(folder, findings)
    return [str(one) for one in findings]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1990-04-17", "1990-04-17"),
        ("2026-02-20 09:00:00 -0500", "2026-02-20 09:00:00 -0500"),
        ('"02134"', "02134"),
        ("212-555-0101", "212-555-0101"),
        ("true", True),
        ("null", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0.5", 0.5),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
        ("1e5", "1e5"),
    ],
)
def test_what_json_can_say_is_read_as_it_is_meant(tmp_path: Path, written: str, read: JsonValue) -> None:
    put(tmp_path, FILE.format(dob=written))
    one = golden.load(tmp_path)["one"]

    assert one.entry == {"active": False, "dob": read}
    assert type(one.entry["dob"]) is type(read)
    assert one.today == date(2026, 3, 2)


@pytest.mark.parametrize(
    "unclear",
    ["no", "Yes", "on", "True", "02134", "0x1F", "+14155550101", "12:30", "1.10", "1_0", ".5", ".nan", "="],
)  # fmt: skip
def test_what_may_be_two_things_has_to_stand_in_quotes(tmp_path: Path, unclear: str) -> None:
    path = put(tmp_path, FILE.format(dob=unclear))

    assert told(tmp_path) == [f"{path}:5: holds what may be a text or something else; put it in quotes"]
    with pytest.raises(IntegrationInvalid, match="put it in quotes"):
        golden.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (FILE.format(dob="1990-04-17").replace("2026-03-02", "20260302"), 2, "today: is no day"),
        (FILE.format(dob="1990-04-17").replace("2026-03-02", "2026-02-30"), 2, "today: input should be"),
        (FILE.format(dob="1990-04-17").replace("shows:", "show:"), 1, "write shows"),
        (FILE.format(dob="1990-04-17").replace("kind: skip", "kind: delete"), 6, "plan.kind"),
        (FILE.format(dob="1990-04-17\n  dob: null"), 6, "entry.dob is already at line 5"),
        (FILE.format(dob="[1"), 6, "is not YAML"),
        ("", 1, "no mapping"),
        ("- a\n", 1, "no mapping"),
    ],
)
def test_a_mistake_is_told_at_its_line(tmp_path: Path, text: str, line: int, word: str) -> None:
    path = put(tmp_path, text)

    lines = told(tmp_path)

    assert any(one.startswith(f"{path}:{line}: ") and word in one for one in lines), lines


@pytest.mark.parametrize("name", ["one.yml", "One.yaml", "a b.yaml", "notes.txt", ".hidden.yaml"])
def test_a_file_that_is_no_example_is_told_and_never_left_out_silently(tmp_path: Path, name: str) -> None:
    put(tmp_path, FILE.format(dob="null"), name)

    assert len(told(tmp_path)) == 1 and "is no golden example" in told(tmp_path)[0]


def test_an_integration_without_a_folder_has_no_examples(tmp_path: Path) -> None:
    assert golden.load(tmp_path) == {}


TEXTS = st.one_of(
    st.text(max_size=12).filter(lambda text: text.isprintable()),
    st.sampled_from(
        ["no", "02134", "+1415", "12:30", "1.10", "null", "~", "2026-03-02", "1e5", "=", "<<", "0.5"]
    ),
)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), TEXTS)
def test_what_is_written_is_read_as_the_same_example(
    tmp_path_factory: pytest.TempPathFactory, entry: dict[str, JsonValue], value: str
) -> None:
    folder = tmp_path_factory.mktemp("golden")
    call = ExpectedCall(op="warehouse_upsert_patients", because=("S1",), arguments={"full_name": value})
    drawn = Golden(
        shows="it",
        today=date(2026, 3, 2),
        entry=entry,
        plan=ExpectedPlan(calls=(call,), again_on=date(2026, 4, 1)),
    )
    golden.write(folder, {"drawn": drawn})

    assert golden.load(folder) == {"drawn": drawn}
