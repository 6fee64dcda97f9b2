"""The links in the ledger, on both databases: learned, doubted, confirmed, agreed on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from flows.ledger import entries, learning, lease, links
from flows.ledger.learning import Learnt
from flows.ledger.links import Agreed
from flows.ledger.store import LeaseLost, Ledger
from flows.ledger.tables import ENTRY, LINK
from tests.flows.ledgers import held, open_at

PAIR = "chart+crm"


@pytest.fixture
def ledger(ledger_url: str, tmp_path: Path) -> Iterator[Ledger]:
    made = held(ledger_url, tmp_path, name="crm")
    yield made
    made.close()


def entry(ledger: Ledger, patient: str) -> str:
    """A patient that the ledger knows; gives the pseudonym."""
    known = entries.known(ledger, [patient])[patient]
    row = entries.row_of(ledger, known, fingerprint="f", version=0) | {"state": "planned"}
    with ledger.writing("test") as connection:
        connection.execute(ENTRY.insert().values(row))
    return known.ref


def linked(ledger: Ledger, patient: str, record: str) -> str:
    ref = entry(ledger, patient)
    learning.learn(ledger, PAIR, [Learnt(ref, record)])
    return ref


def test_a_link_is_found_from_either_side(ledger: Ledger) -> None:
    ref = linked(ledger, "p1", "c1")
    linked(ledger, "p2", "c2")

    (by_record,) = links.of_records(ledger, PAIR, ["c1", "c9"])["c1"]

    assert links.of_entries(ledger, [ref]) == {ref: by_record}
    assert (by_record.keeper, by_record.reader, by_record.state) == ("p1", "c1", "learned")
    assert links.of_records(ledger, "other+pair", ["c1"]) == {}


def test_the_ledger_shows_no_id(ledger: Ledger) -> None:
    linked(ledger, "patient-4711", "contact-4712")

    with ledger.reading() as connection:
        rows = [str(tuple(row)) for row in connection.execute(sa.select(LINK))]

    assert rows and "4711" not in rows[0] and "4712" not in rows[0]


def test_one_record_for_two_entries_is_neithers(ledger: Ledger) -> None:
    one, two = linked(ledger, "p1", "c1"), linked(ledger, "p2", "c1")

    assert [link.code for link in links.of_entries(ledger, [one, two]).values()] == [links.TWICE] * 2

    learning.learn(ledger, PAIR, [Learnt(two, "c2", former_is_gone=True)])
    links.confirm(ledger, links.of_entries(ledger, [one, two]).values())

    states = {ref: link.state for ref, link in links.of_entries(ledger, [one, two]).items()}
    assert states == {one: "confirmed", two: "confirmed"}


def test_another_record_is_followed_only_if_the_former_is_gone(ledger: Ledger) -> None:
    ref = linked(ledger, "p1", "c1")
    links.agree(ledger, [Agreed(links.of_entries(ledger, [ref])[ref].ref, {"phone": {"keeper": "k"}}, {})])

    learning.learn(ledger, PAIR, [Learnt(ref, "c2")])
    doubted = links.of_entries(ledger, [ref])[ref]
    learning.learn(ledger, PAIR, [Learnt(ref, "c2", former_is_gone=True)])
    followed = links.of_entries(ledger, [ref])[ref]

    assert (doubted.reader, doubted.state, doubted.code) == ("c1", "review", links.MOVED)
    assert (followed.reader, followed.state, followed.agreed) == ("c2", "learned", {})


def test_what_a_reading_doubted_a_reading_confirms(ledger: Ledger) -> None:
    ref = linked(ledger, "p1", "c1")
    links.doubt(ledger, links.of_entries(ledger, [ref]).values())
    doubted = links.of_entries(ledger, [ref])[ref]
    links.confirm(ledger, [doubted])

    assert (doubted.state, doubted.code) == ("review", links.IDENTITY)
    assert links.of_entries(ledger, [ref])[ref].state == "confirmed"


def test_what_two_runs_agree_on_is_merged(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    """Each direction notes its own fields, and neither takes the other's away."""
    ref = linked(ledger, "p1", "c1")
    link = links.of_entries(ledger, [ref])[ref]
    back = open_at(ledger_url, tmp_path, name="chart")
    lease.take(back, "r2")

    links.agree(ledger, [Agreed(link.ref, {"email": {"keeper": "a", "reader": "b"}}, {"phone": "person"})])
    links.agree(back, [Agreed(link.ref, {"phone": {"keeper": "c", "reader": "d"}}, {"email": ""})])
    links.agree(ledger, [Agreed(link.ref, {}, {"phone": "keeper"})])

    found = links.of_entries(back, [ref])[ref]
    assert set(found.agreed) == {"email", "phone"}
    assert found.contested == {"phone": "keeper"}
    assert links.contested(ledger, PAIR, "keeper") == ["p1"]
    assert links.contested(back, PAIR, "reader") == []
    back.close()


def test_what_both_runs_learn_at_the_same_time_is_one_link(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    ref = entry(ledger, "p1")
    back = held(ledger_url, tmp_path, run="r2", name="chart")
    begun: list[sa.Connection] = []

    @event.listens_for(ledger.engine, "begin")
    def _(connection: sa.Connection) -> None:
        begun.append(connection)
        if len(begun) == 2:  # it has looked, and is about to write
            learning.learn(back, PAIR, [Learnt(ref, "c1")])

    learning.learn(ledger, PAIR, [Learnt(ref, "c1")])

    assert len(begun) == 2
    assert links.of_entries(back, [ref])[ref].reader == "c1"
    back.close()


def test_a_run_that_lost_its_lease_links_nothing(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    ref = entry(ledger, "p1")
    lease.give_back(ledger)
    held(ledger_url, tmp_path, run="r2", name="crm").close()

    with pytest.raises(LeaseLost):
        learning.learn(ledger, PAIR, [Learnt(ref, "c1")])

    assert links.of_entries(ledger, [ref]) == {}


def test_equal_values_of_two_records_are_not_seen_as_equal(ledger: Ledger) -> None:
    one, two = (links.value_hash(ledger, PAIR, record, "gender", '"F"') for record in ("c1", "c2"))

    assert one != two
    assert one == links.value_hash(ledger, PAIR, "c1", "gender", '"F"')


def test_both_integrations_of_the_pair_tell_of_it(ledger: Ledger, ledger_url: str, tmp_path: Path) -> None:
    ref = linked(ledger, "p1", "c1")
    link = links.of_entries(ledger, [ref])[ref]
    links.agree(ledger, [Agreed(link.ref, {}, {"email": "person", "phone": "reader"})])
    told: list[tuple[dict[str, int], list[tuple[str, str]]]] = []
    for name in ("crm", "chart", "char", "rt"):
        other = open_at(ledger_url, tmp_path, name=name)
        told.append(links.tell(other))
        other.close()

    assert told == [({"learned": 1}, [(ref, "email")])] * 2 + [({}, [])] * 2
