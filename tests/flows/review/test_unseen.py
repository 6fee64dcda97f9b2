"""What does not print is shown as an escape wherever a value is: it is not obeyed, and forges no line."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plan import Plan
from agent.visible import as_line, visible
from flows import diff, explain
from flows.differing import clear
from flows.ledger import marks
from flows.ledger.store import Ledger
from flows.review.desk import Desk
from flows.review.door import Role
from tests.flows.review import filled
from tests.flows.review.pages import as_text, seen_by, shipped
from tests.flows.review.test_hidden import RUN

FORGED = "Patient 999999: warehouse_upsert_patients, new: would be delivered"
NASTY = f"Ana\n{FORGED} \x1b[2J \x9b31m \u202eOLGA ton si\u202c \u200b\u2066\ufeff\u3164\U000e0041"
OBEYED = ("\x1b", "\x9b", "\u202e", "\u202c", "\u200b", "\u2066", "\ufeff", "\u3164", "\U000e0041")


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Of a stage in which everybody has such a name, and somebody remarked it."""
    usual = filled._plan

    def plan(at: int) -> Plan:
        (call,) = usual(at).calls
        name = call.arguments["full_name"].model_copy(update={"value": NASTY})
        arguments = dict(call.arguments) | {"full_name": name}
        return Plan(kind="write", calls=(call.model_copy(update={"arguments": arguments}),))

    monkeypatch.setattr(filled, "_plan", plan)
    monkeypatch.setitem(filled.DECIDED_ON, "first_name", NASTY)
    monkeypatch.setitem(filled.DECIDED_ON, "metadata", {NASTY: NASTY})
    with filled.stage(tmp_path, 3) as made:
        for line in Desk(made).lines():
            marks.put(made, line.key, "wrong", NASTY, "Ben")
        yield made


def test_no_page_hides_or_obeys_it(ledger: Ledger) -> None:
    with seen_by(Role.REVIEWER, ledger) as reviewer:
        pages = [reviewer.see(path) for path in ("/writes", "/entries?state=review", "/waiting")]

    for page in pages:
        assert not [c for c in OBEYED if c in page]
    assert "\\u202eOLGA ton si\\u202c" in pages[0] and "Ana\\nPatient 999999" in pages[0]
    assert "Ana\\nPatient 999999" in pages[2]


def test_no_terminal_obeys_it_and_it_makes_no_line(ledger: Ledger) -> None:
    told = as_text(Role.REVIEWER, ledger, at="0")
    writes = "\n".join(map(visible, diff._lines(ledger, RUN, diff._Telling(None, staged=True))))
    explained = "\n".join(explain.explain(shipped(), ledger, "100001", values=True))

    for said in (told, writes, explained):
        assert not [c for c in OBEYED if c in said]
        assert f"Ana\\n{FORGED}" in said
        assert not [line for line in said.splitlines() if line.startswith("Patient 999999")]


@given(st.text())
def test_whatever_is_shown_is_one_line_that_prints(text: str) -> None:
    shown = visible(text)

    assert len(shown.splitlines()) <= 1
    assert not [
        c for c in shown if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp")
    ]
    assert visible(shown) == shown


@given(st.text(min_size=1), st.text(min_size=1))
def test_as_json_two_texts_are_never_shown_alike(one: str, other: str) -> None:
    assert (as_line(one) == as_line(other)) == (one == other)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Zoë Ångström", "Zoë Ångström"),
        ("محمد", "محمد"),
        ("李小龙", "李小龙"),
        ("a\u00a0b", '"a\\u00a0b"'),
        ("a\\nb", "a\\nb"),
        ("a\nb", '"a\\nb"'),
        ("", ""),
        (None, "null"),
        (["a", 1], '["a", 1]'),
    ],
)
def test_what_prints_is_shown_as_it_is(value: str | None, shown: str) -> None:
    assert clear(value) == shown
