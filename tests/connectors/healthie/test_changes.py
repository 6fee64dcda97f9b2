"""Where change shows: the feeds and the sweep."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pydantic import JsonValue

from connectors.changes import Feed, Page, Row, scan
from connectors.errors import Transient
from connectors.healthie import Healthie
from connectors.healthie.fields import catalogue
from connectors.sandbox.healthie.stand_in import StandIn
from tests.connectors.healthie.canned import Canned, answering
from tests.connectors.healthie.writing import look

PAGES = 50


def rows(feed: Feed, since: datetime | None = None) -> list[Row]:
    """All rows of a feed, to its end."""
    found: list[Row] = []
    after: str | None = None
    for _ in range(PAGES):
        page: Page = feed.fetch(after, since)
        assert page.clock is not None
        found += page.rows
        after = page.after
        if after is None:
            return found
    raise AssertionError("the feed does not end")


def feed_of(healthie: Healthie, name: str) -> Feed:
    return next(feed for feed in healthie.feeds(catalogue()) if feed.name == name)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ([], {"users"}),
        (["email", "metadata.mrn"], {"users"}),
        (["appointments.date", "active_tags.name"], {"users", "appointments", "appliedTags"}),
        (["requested_payments.price_minor", "tasks.id"], {"users", "requestedPayments", "tasks"}),
        (["cms1500s.id", "billing_items.id"], {"users", "cms1500s", "billingItems"}),
    ],
)
def test_only_feeds_that_the_fields_need_are_read(
    healthie: Healthie, paths: list[str], names: set[str]
) -> None:
    assert {feed.name for feed in healthie.feeds(paths)} == names


def test_newest_first_feeds_come_newest_first(healthie: Healthie) -> None:
    for feed in healthie.feeds(catalogue()):
        stamps = [row.stamp for row in rows(feed)]

        assert all(stamp.tzinfo is UTC for stamp in stamps)
        assert all(a >= b if feed.newest_first else a <= b for a, b in pairwise(stamps)), feed.name


@pytest.mark.parametrize(
    ("name", "type_", "column", "changed"),
    [
        ("billingItems", "BillingItem", "sender_id", "payment_medium"),
        ("requestedPayments", "RequestedPayment", "recipient_id", "invoice_type"),
        ("cms1500s", "Cms1500", "patient_id", "primary_plan_name"),
        ("tasks", "Task", "client_id", "content"),
    ],
)
def test_a_childs_change_names_its_patient_and_no_staff(
    healthie: Healthie, stand_in: StandIn, name: str, type_: str, column: str, changed: str
) -> None:
    patients = set(stand_in.ids())
    children = [row for row in stand_in.ids(type_) if stand_in.row(type_, row).get(column) in patients]
    child = children[0]
    stand_in.edit(type_, child, **{changed: "changed"})
    newest = feed_of(healthie, name).fetch(None, None).rows[0]

    assert newest.id == child
    assert newest.patients == (stand_in.row(type_, child)[column],)


def test_a_group_appointment_names_all_who_attend(healthie: Healthie, stand_in: StandIn) -> None:
    guests = stand_in.ids()[:3]
    made = stand_in.create("Appointment", attendee_ids=[*guests], is_group=True, date="2026-11-20T10:00:00Z")
    newest = feed_of(healthie, "appointments").fetch(None, None).rows[0]

    assert (newest.id, set(newest.patients)) == (made, set(guests))


def test_applied_tags_are_filtered_by_healthie(healthie: Healthie, stand_in: StandIn) -> None:
    patient, tag = stand_in.ids()[0], stand_in.ids("Tag")[-1]
    since = stand_in.now() - timedelta(seconds=1)
    if tag in _tags(stand_in, patient):
        stand_in.untag(patient, tag)
    stand_in.tag(patient, tag)
    feed = feed_of(healthie, "appliedTags")

    assert not feed.newest_first
    assert rows(feed, since)[-1].patients == (patient,)
    assert len(rows(feed)) > len(rows(feed, since))  # never read before: all of them


def test_the_clock_is_the_sources_own(healthie: Healthie, stand_in: StandIn) -> None:
    healthie.check()

    assert healthie.clock is not None
    assert abs(healthie.clock - stand_in.now()) < timedelta(seconds=5)


def test_everyone_is_everyone_once(healthie: Healthie, stand_in: StandIn) -> None:
    stand_in.archive(stand_in.ids()[2])
    stand_in.configure(page_cap=7)
    listed = [id_ for page in healthie.everyone() for id_ in page]

    assert len(listed) == len(set(listed))
    assert set(listed) == set(stand_in.ids())
    stand_in.restore(stand_in.ids()[2])


def test_patients_created_meanwhile_do_not_disturb_the_sweep(healthie: Healthie, stand_in: StandIn) -> None:
    stand_in.configure(page_cap=20)
    before = set(stand_in.ids())
    pages = healthie.everyone()
    listed = {*next(pages)}
    made = stand_in.create(
        "User", is_patient=True, active=True, first_name="New", organization_id=_home(stand_in)
    )
    listed |= {id_ for page in pages for id_ in page}

    assert listed == before | {made}


def test_the_account_is_recognised(healthie: Healthie) -> None:
    account = healthie.check()

    assert (account.system, account.sandbox) == ("healthie", False)
    assert account.identity.startswith("127.0.0.1/organization/")
    assert healthie.check(["email"]) == account


def _tags(stand_in: StandIn, patient: str) -> set[str]:
    return {
        str(row["tag_id"]) for row in stand_in.rows_of("AppliedTag", patient) if not row.get("deleted_at")
    }


def _home(stand_in: StandIn) -> str:
    return str(stand_in.row("User", stand_in.ids()[0])["organization_id"])


SHORT: dict[str, JsonValue] = {
    "total_count": 3,
    "nodes": [{"id": "1", "updated_at": "2026-11-20T10:00:00Z", "metadata": None}],
    "page_info": {"has_next_page": False, "end_cursor": None},
}


def test_a_short_page_of_a_feed_is_not_its_end() -> None:
    with answering(Canned({"data": {"rows": SHORT}})) as server:
        connector = Healthie(server.credentials, read_only=True)
        (feed,) = connector.feeds([])
        with pytest.raises(Transient, match="fewer rows"):
            list(scan(feed, None, now=lambda: datetime.now(UTC)))
        connector.close()


def test_a_short_list_of_tasks_does_not_prove_that_ours_is_missing() -> None:
    with answering(Canned({"data": {"tasks": SHORT}})) as server:
        connector = Healthie(server.credentials, read_only=False)
        with pytest.raises(Transient, match="fewer rows"):
            look(connector, "create_task", "7")
        connector.close()
