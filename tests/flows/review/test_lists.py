"""What is asked for is found, on the page and as text; a patient is, and no address names them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger import entries, lease, marks
from flows.ledger.store import Ledger
from flows.review import waits
from flows.review.desk import Desk
from flows.review.door import IDLE, Role
from flows.review.page import linked, prose
from flows.vault import Seal
from tests.flows.review.filled import stage
from tests.flows.review.pages import as_text, seen_by

MANY = 70
PATIENT = "100001"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with stage(tmp_path, MANY) as made:
        yield made


def ref_of(ledger: Ledger, patient: str) -> str:
    return entries.pseudonyms(ledger, [patient])[patient]


def keys(said: str) -> list[str]:
    return re.findall(r"; key (\w+)$", said, re.MULTILINE)


@pytest.mark.parametrize("of", ["writes", "entries"])
def test_a_patient_is_found_and_no_address_names_them(ledger: Ledger, of: str) -> None:
    ref = ref_of(ledger, PATIENT)
    with seen_by(Role.REVIEWER, ledger) as reviewer:
        form = re.search(r'<form method="post" action="/find".*?</form>', reviewer.see(f"/{of}"), re.DOTALL)
        assert form and f'name="of" value="{of}"' in form[0]
        by_id, by_name, none = (
            reviewer.send("/find", of=of, entry=who) for who in (f" {PATIENT} ", ref, "999")
        )

        assert by_id.status_code == by_name.status_code == none.status_code == 303
        assert by_id.headers["location"] == by_name.headers["location"] == f"/{of}?entry={ref}"
        found, missed = reviewer.see(by_id.headers["location"]), reviewer.see(none.headers["location"])

    assert "<h1>1 " in found and f"Patient {PATIENT}" in found
    assert "999" not in none.headers["location"] and "Nobody is known by that name here" in missed


def test_what_is_filtered_beside_goes_on_and_nothing_else(ledger: Ledger) -> None:
    with seen_by(Role.REVIEWER, ledger) as reviewer:
        found = reviewer.send("/find", of="//evil.example", sentence="S2", kind="", other="x")

        assert found.headers["location"] == "/writes?sentence=S2"
        assert reviewer.send("/find", of="writes").headers["location"] == "/writes"
        assert reviewer.send("/find", proof=False, entry=PATIENT).status_code == 403


def test_a_viewer_finds_by_pseudonym_alone(ledger: Ledger) -> None:
    ref = ref_of(ledger, PATIENT)
    with seen_by(Role.VIEWER, ledger) as viewer:
        by_id, by_name = (viewer.send("/find", of="writes", entry=who) for who in (PATIENT, ref))

    assert by_id.headers["location"] == "/writes?entry=nobody"
    assert by_name.headers["location"] == f"/writes?entry={ref}"
    assert "0 planned writes" in as_text(Role.VIEWER, ledger, entry=PATIENT)


def test_who_sees_values_sees_the_pseudonym_beside_the_patient(ledger: Ledger) -> None:
    with seen_by(Role.REVIEWER, ledger) as reviewer:
        pages = [reviewer.see(path, entry=ref_of(ledger, PATIENT)) for path in ("/writes", "/entries")]
        waiting = reviewer.see("/waiting")

    for page, patient in (*((page, PATIENT) for page in pages), (waiting, "200001")):
        headings = re.findall(r"<h2 .*?</h2>", page, re.DOTALL)
        (heading,) = [re.sub(r"<[^>]+>|\s+", " ", one) for one in headings if patient in one]
        assert ref_of(ledger, patient) in heading


def test_every_write_is_there_as_text_with_its_key(ledger: Ledger) -> None:
    first = as_text(Role.REVIEWER, ledger, at="0")
    second = as_text(Role.REVIEWER, ledger, at="50")

    assert f"== {MANY} planned writes, 1 to 50; the next: --at 50" in first
    assert f"== {MANY} planned writes, 51 to {MANY}\n" in second
    assert sorted(keys(first) + keys(second)) == sorted(one.key for one in Desk(ledger).lines())
    assert f"Patient {PATIENT}, entry {ref_of(ledger, PATIENT)}: " in first + second


@pytest.mark.parametrize(
    ("asked", "writes", "without"),
    [
        ({"sentence": "S2"}, "23 planned writes", "0 entries without a write"),
        ({"sentence": "S3"}, "23 planned writes", "1 entry without a write"),
        ({"kind": "changed"}, "23 planned writes", None),
        ({"field": "full_name"}, "47 planned writes, 1 to 47", None),
        ({"operation": "none"}, "0 planned writes", None),
        ({"state": "done"}, "70 planned writes", "0 entries"),
        ({"state": "skipped"}, "0 planned writes", "1 entry"),
        ({"reason": "two_primaries"}, None, "1 entry without a write"),
        ({"run": "r20261128120000bbbbbb"}, "0 planned writes", "0 entries without a write"),
        ({"mark": "none"}, "69 planned writes", None),
        ({"mark": "wrong"}, "1 planned write", None),
        ({"entry": PATIENT}, "1 planned write", "1 entry"),
    ],
)
def test_the_filters_of_the_page_are_there_as_text(
    ledger: Ledger, asked: dict[str, str], writes: str | None, without: str | None
) -> None:
    marks.put(ledger, Desk(ledger).lines()[0].key, "wrong", "her name is Anna", "Ben")

    titles = re.findall(r"^== (.+)$", as_text(Role.REVIEWER, ledger, **asked), re.MULTILINE)

    wanted = [one for one in (writes, without) if one is not None]
    assert len(titles) == len(wanted)
    assert all(title.startswith(want.partition(",")[0]) for title, want in zip(titles, wanted, strict=True))


def test_entries_without_a_write_are_there_as_text(ledger: Ledger) -> None:
    said = as_text(Role.REVIEWER, ledger, state="review")
    masked = as_text(Role.VIEWER, ledger, state="review")

    ref = ref_of(ledger, "200001")
    assert f"Patient 200001, entry {ref}: to review (two_primaries): waits for a person to decide" in said
    assert "  S8 was judged: the newer one" in said and "  policies.1.num: M-2" in said
    assert f"Entry {ref}: to review (two_primaries)" in masked
    assert not [word for word in ("200001", "M-2", "newer") if word in masked]


def test_all_that_wait_are_there_as_text(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "SHOWN", 1)

    first, second = (as_text(Role.REVIEWER, ledger, at=at) for at in ("0", "1"))

    assert "== 2 entries wait for a person, 1 to 1; the next: --at 1" in first
    assert "== 2 entries wait for a person, 2 to 2\n" in second
    waiting = {re.findall(r"^patient (\w+): ", said, re.MULTILINE)[0] for said in (first, second)}
    assert waiting == {"200001", "200002"}


def test_what_is_held_is_named_by_key(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("UPDATE delivery SET state = 'held', code = 'too_many_creates'"))

    assert "each of them with its key: --state held" in as_text(Role.VIEWER, ledger, at="0")
    assert len(keys(as_text(Role.VIEWER, ledger, state="held"))) == 50


def test_two_writes_that_change_places_are_told_apart(ledger: Ledger) -> None:
    desk = Desk(ledger)
    first, second = (one.key for one in desk.lines()[:2])

    def refused() -> list[str]:
        return [one.key for one in desk.lines() if one.state == "rejected"]

    _state(ledger, first, "rejected", "too_long")
    assert refused() == [first]
    _state(ledger, first, "done", "")
    _state(ledger, second, "rejected", "too_long")
    assert refused() == [second]
    _state(ledger, second, "rejected", "no_such_column")

    assert [one.code for one in desk.lines() if one.key == second] == ["no_such_column"]


def test_filters_open_no_remark_and_pages_those_that_they_show(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in Desk(ledger).lines():
        marks.put(ledger, line.key, "wrong", "her name is Anna", "Ben")
    opened: list[str] = []
    usual = Seal.open

    def noted(self: Seal, sealed: bytes, purpose: str) -> bytes:
        opened.append(purpose)
        return usual(self, sealed, purpose)

    monkeypatch.setattr(Seal, "open", noted)
    with seen_by(Role.REVIEWER, ledger) as reviewer:
        reviewer.see("/")
        reviewer.see("/sample")
        assert opened.count(marks.PURPOSE) == 0
        page = reviewer.see("/writes", mark="wrong", at="60")

    assert page.count("Marked wrong by Ben: her name is Anna") == opened.count(marks.PURPOSE) == 10


def _state(ledger: Ledger, key: str, state: str, code: str) -> None:
    lease.take(ledger, "r20261128130000aaaaaa")
    with ledger.writing("settled") as connection:
        said = sa.text("UPDATE delivery SET state = :state, code = :code WHERE key = :key")
        connection.execute(said, {"state": state, "code": code, "key": key})
    lease.give_back(ledger)


def test_the_checklist_leads_to_the_write_that_it_names(ledger: Ledger) -> None:
    key = Desk(ledger).lines()[0].key
    shown = linked(prose(f"1 write, and `nobody` found one right; look at one: {key}"))

    assert f'look at one: <a href="/writes?key={key}">{key}</a>' in shown
    with seen_by(Role.REVIEWER, ledger) as reviewer:
        page = reviewer.see("/writes", key=key)
    assert "<h1>1 write</h1>" in page and f'id="w{key}"' in page


def test_a_session_that_is_used_goes_on_and_ends_after_a_quarter_of_an_hour_without_use(
    ledger: Ledger,
) -> None:
    clock = [0.0]
    with seen_by(Role.REVIEWER, ledger, lambda: clock[0]) as reviewer:
        for _ in range(3):
            clock[0] += IDLE - 1
            assert reviewer.send("/used", proof=False).status_code == 204
        assert reviewer.client.post("/used").status_code == 403  # another page's

        clock[0] += IDLE
        assert reviewer.send("/used", proof=False).status_code == 403
        assert reviewer.client.get("/writes").status_code == 403
