"""Reading contacts: what the feeds show, what is absent, what is never left out in silence."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.changes import Cursor, scan
from connectors.entry import Absent, Category, Found
from connectors.errors import Denied, Rejected, Transient, Unauthorized
from connectors.hubspot import HubSpot
from connectors.sandbox.faults import Fault
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import Proxy
from tests.connectors.hubspot.portals import CONTACTS, hubspot, item


@pytest.fixture
def source(portal: StandIn) -> Iterator[HubSpot]:
    made = hubspot(portal, read_only=True)
    yield made
    made.close()


def now() -> datetime:
    return datetime.now(UTC)


def changed(source: HubSpot, since: Cursor | None) -> tuple[list[str], dict[str, Cursor]]:
    found: list[str] = []
    cursors: dict[str, Cursor] = {}
    for feed in source.feeds(["email"]):
        reading = scan(feed, since, now=now)
        found += [change.patient for changes in reading for change in changes]
        cursors[feed.name] = reading.cursor
    return found, cursors


def test_an_edit_is_found_once_and_its_cursor_moves_on(portal: StandIn, source: HubSpot) -> None:
    old = portal.create(firstname="Old")
    portal.edit(old, at=now() - timedelta(days=3), firstname="Old")
    new = portal.create(firstname="New")

    found, cursors = changed(source, Cursor(watermark=now() - timedelta(hours=1)))
    assert found == [new]
    assert abs((cursors["contacts"].watermark - now()).total_seconds()) < 5


def test_what_the_search_shows_late_is_found_by_the_next_scan(portal: StandIn, source: HubSpot) -> None:
    portal.configure(search_lag=120)
    late = portal.create(firstname="Late")
    found, cursors = changed(source, None)
    assert found == []

    portal.advance_clock(130)
    assert changed(source, cursors["contacts"])[0] == [late]


def test_more_than_ten_thousand_with_one_stamp_are_each_found_once(portal: StandIn, source: HubSpot) -> None:
    portal.seed(12_000, one_stamp=11_000)

    found, _ = changed(source, Cursor(watermark=now() - timedelta(minutes=75)))
    assert len(found) == len(set(found)) == 11_000
    assert portal.counts()["search"] == 55


def test_a_page_that_is_shorter_than_the_search_counts_is_no_page(portal: StandIn, source: HubSpot) -> None:
    portal.seed(5)
    portal.configure(search_drops=1)

    with pytest.raises(Transient) as short:
        changed(source, Cursor(watermark=now() - timedelta(days=400)))
    assert short.value.code == "incomplete_listing"


def test_an_edit_in_the_middle_of_a_scan_loses_nobody(portal: StandIn, source: HubSpot) -> None:
    portal.seed(1_000, one_stamp=1_000)
    feed = source.feeds([])[0]
    reading = scan(feed, Cursor(watermark=now() - timedelta(hours=2)), now=now)
    found: list[str] = []
    for number, changes in enumerate(reading):
        found += [change.patient for change in changes]
        portal.edit(str(1001 + number), firstname="Moved")

    assert len(set(found)) == 1_000


def test_archived_and_merged_contacts_are_shown_and_then_absent(portal: StandIn, source: HubSpot) -> None:
    a, b, c = (portal.create(email=f"{name}@example.com") for name in "abc")
    portal.archive(a)
    portal.merge(b, into=c)

    found, _ = changed(source, Cursor(watermark=now() - timedelta(hours=1)))
    assert sorted(found) == sorted([c, a, b])
    readings = {one.patient: one for one in source.read([a, b, c], ["email", "hs_merged_object_ids"])}
    assert readings == {
        a: Absent(a, "unknown"),
        b: Absent(b, "unknown"),
        c: Found(c, {"email": "c@example.com", "hs_merged_object_ids": b}),
    }
    assert [id_ for page in source.everyone() for id_ in page] == [c]


def test_everyone_is_everyone_by_pages_of_a_hundred(portal: StandIn, source: HubSpot) -> None:
    portal.seed(250)

    pages = list(source.everyone())
    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({id_ for page in pages for id_ in page}) == 250


def test_values_have_their_propertys_type(portal: StandIn, source: HubSpot) -> None:
    portal.property("score", type="number", fieldType="number", groupName="own")
    portal.property("vip", type="bool", fieldType="booleancheckbox", groupName="own")
    portal.property("born", type="date", fieldType="date", groupName="own")
    person = portal.create(score="3.50", vip="true", born="1980-02-03", firstname="Ana")

    [found] = source.read([person, person], ["score", "vip", "born", "firstname", "phone", "createdate"])
    assert isinstance(found, Found)
    assert {**found.entry, "createdate": None} == {
        "score": 3.5,
        "vip": True,
        "born": "1980-02-03",
        "firstname": "Ana",
        "phone": None,
        "createdate": None,
    }
    assert str(found.entry["createdate"]).endswith("Z")


def test_a_property_that_is_not_there_is_an_error_and_no_null(portal: StandIn, source: HubSpot) -> None:
    person = portal.create(firstname="Ana")

    with pytest.raises(Rejected) as unknown:
        list(source.read([person], ["firstnam"]))
    assert unknown.value.code == "unknown_field"


def test_a_sensitive_property_is_read_with_its_scope_alone(portal: StandIn, source: HubSpot) -> None:
    portal.property("diagnosis", dataSensitivity="sensitive", groupName="own")
    person = portal.create(diagnosis="flu")
    assert [one.entry for one in source.read([person], ["diagnosis"]) if isinstance(one, Found)] == [
        {"diagnosis": "flu"}
    ]

    portal.configure(without_scopes=["crm.objects.contacts.sensitive.read"])
    assert list(source.read([person], ["diagnosis"])) == [Absent(person, "restricted")]
    later = hubspot(portal, read_only=True)
    with pytest.raises(Rejected):
        list(later.read([person], ["diagnosis"]))
    later.close()


def test_a_source_writes_nothing(portal: StandIn) -> None:
    source = hubspot(portal, CONTACTS, read_only=True)

    with pytest.raises(Denied):
        source.writes()["upsert_contacts"].send([item("1")])
    assert set(portal.counts()) <= {"read", "schema", "account"}
    source.close()


def test_check_names_the_portal_and_the_scopes_that_lack(portal: StandIn, source: HubSpot) -> None:
    assert (source.check().identity, source.check().missing) == ("127.0.0.1/portal/4711", ())

    portal.configure(without_scopes=["crm.schemas.contacts.read", "crm.objects.contacts.read"])
    assert source.check().missing == ("crm.schemas.contacts.read", "crm.objects.contacts.read")


def test_check_asks_about_what_is_read(portal: StandIn, source: HubSpot) -> None:
    portal.property("diagnosis", dataSensitivity="sensitive", groupName="own")
    assert source.check(["email", "diagnosis", "no_such"]).missing == ("property no_such of contacts",)

    assert source.check(source.fields()).missing == ()
    scope = "crm.objects.contacts.sensitive.read"
    portal.configure(without_scopes=[scope])
    assert source.check(["email", "diagnosis"]).missing == (scope,)


def test_a_scope_of_writing_that_lacks_is_named_by_the_first_write(portal: StandIn) -> None:
    target = hubspot(portal, CONTACTS)
    target.prepare()
    portal.configure(without_scopes=["crm.objects.contacts.write"])

    with pytest.raises(Unauthorized, match=r"crm\.objects\.contacts\.write"):
        target.writes()["upsert_contacts"].send([item("1")])
    target.close()


def test_every_field_has_a_category_and_unknown_names_are_the_portals_own(source: HubSpot) -> None:
    fields = source.fields()

    assert fields["email"].category is Category.CONTACT
    assert fields["favourite_tea"].category is Category.CUSTOM
    assert "Not A Name" not in fields
    assert all(fields[name].path == name for name in fields)


def test_a_listing_that_goes_wrong_is_tried_again_and_never_taken_for_the_end(portal: StandIn) -> None:
    portal.seed(450)
    with Proxy(portal.url) as proxy:
        source = hubspot(portal, url=proxy.url)
        proxy.faults(Fault(trouble="half", path="/search", request=2))
        assert len(changed(source, Cursor(watermark=now() - timedelta(days=400)))[0]) == 450

        proxy.faults(Fault(trouble="html", path="/contacts?", request=2, times=None))
        with pytest.raises(Transient):
            list(source.everyone())
        source.close()
