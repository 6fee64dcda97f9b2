"""Whatever people do in the portal and however late the search is: no change is lost, none is found twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.changes import Cursor, Feed, scan
from connectors.hubspot.client import Client
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.feeds import ArchivedContacts, ChangedContacts
from connectors.sandbox.hubspot import StandIn
from tests.campaign import FULL
from tests.connectors.hubspot.portals import PATIENCE

PAGE = 3
LAG = 800  # seconds: nearly the overlap of a scan
ACTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["create", "scan", "broken scan"]), st.just(0), st.just(0)),
        st.tuples(st.sampled_from(["edit", "bulk", "archive"]), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("merge"), st.integers(0, 30), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.sampled_from([1, 100, 400, 700, 900]), st.just(0)),
    ),
    min_size=4,
    max_size=25,
)


@dataclass
class Follower:
    """Scans as the engine does, and keeps when each contact was last nominated."""

    portal: StandIn
    feeds: Sequence[Feed]
    cursors: dict[str, Cursor] = field(default_factory=dict[str, Cursor])
    open: set[str] = field(default_factory=set[str])  # changed, and not nominated since

    def scan(self, *, broken: bool = False) -> None:
        for feed in self.feeds:
            reading = scan(feed, self.cursors.get(feed.name), now=self.portal.now)
            met: list[str] = []
            for changes in reading:
                met += [change.patient for change in changes]
                if broken:
                    return
            assert len(met) == len(set(met))
            self.open -= set(met)
            self.cursors[feed.name] = reading.cursor


def act(portal: StandIn, what: str, one: int, other: int, there: list[str]) -> set[str]:
    """What a person does; gives the contacts that changed by it."""
    if what == "create":
        there.append(portal.create(firstname="New"))
        return {there[-1]}
    if not there:
        return set()
    first, second = there[one % len(there)], there[other % len(there)]
    if what == "edit":
        portal.edit(first, firstname="Edited")
        return {first}
    if what == "bulk":
        for contact in there[: 1 + one % len(there)]:
            portal.edit(contact, at=portal.now(), lastname="Bulk")
        return set(there[: 1 + one % len(there)])
    if what == "archive":
        portal.archive(first)
    elif first != second:
        portal.merge(first, into=second)
    else:
        return set()
    there.remove(first)
    return {first} if what == "archive" else {first, second}


def test_no_change_is_lost_and_none_is_found_twice_in_a_scan(portal: StandIn) -> None:
    known = HubSpotCredentials(url=portal.url, access_token=portal.token, patience=PATIENCE)
    client = Client(known, read_only=True)

    @settings(
        max_examples=300 if FULL else 60,
        deadline=None,
        database=None,
        derandomize=not FULL,
        suppress_health_check=list(HealthCheck),
    )
    @given(ACTS)
    def holds(acts: Sequence[tuple[str, int, int]]) -> None:
        portal.clear()
        portal.configure(search_lag=LAG)
        there = [portal.create(firstname=f"Old {number}") for number in range(7)]
        follower = Follower(portal, [ChangedContacts(client, PAGE), ArchivedContacts(client)])
        follower.open |= set(there)
        for what, one, other in acts:
            if what in ("scan", "broken scan"):
                follower.scan(broken=what == "broken scan")
            elif what == "wait":
                portal.advance_clock(one)
            else:
                follower.open |= act(portal, what, one, other, there)
        portal.advance_clock(LAG + 1)
        follower.scan()

        assert follower.open == set()

    holds()
    client.close()


def test_without_an_overlap_the_search_would_lose_changes(portal: StandIn) -> None:
    """That the test above could fail."""
    known = HubSpotCredentials(url=portal.url, access_token=portal.token, patience=PATIENCE)
    client = Client(known, read_only=True)
    portal.configure(search_lag=LAG)
    late = portal.create(firstname="Late")
    portal.advance_clock(10)
    first = scan(ChangedContacts(client), None, now=portal.now, overlap=timedelta())
    assert list(first) == []

    portal.advance_clock(LAG)
    second = scan(ChangedContacts(client), first.cursor, now=portal.now, overlap=timedelta())
    assert list(second) == []
    third = scan(ChangedContacts(client), first.cursor, now=portal.now)
    assert [change.patient for changes in third for change in changes] == [late]
    client.close()
