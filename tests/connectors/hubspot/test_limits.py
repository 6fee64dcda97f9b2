"""HubSpot's limits: of ten seconds, of the second, and of the portal's day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from connectors.errors import Transient
from connectors.http import Answer, limiter_for
from connectors.hubspot import HubSpotCredentials
from connectors.hubspot.failures import check
from connectors.sandbox.faults import Fault
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import Proxy
from tests.connectors.hubspot.portals import CONTACTS, hubspot, item


def refusal(policy: str, **headers: str) -> Answer:
    body = f'{{"status": "error", "errorType": "RATE_LIMIT", "policyName": "{policy}"}}'
    return Answer(429, headers, body.encode())


@pytest.mark.parametrize(
    ("policy", "headers", "seconds"),
    [
        ("TEN_SECONDLY_ROLLING", {}, 10),
        ("SECONDLY", {}, 1),
        ("", {}, 33),
        ("SECONDLY", {"retry-after": "7"}, 7),
        ("SECONDLY", {"retry-after": "soon"}, 1),
        ("SECONDLY", {"retry-after": "99999999999"}, 86_400),
    ],
)
def test_each_limit_has_its_wait(policy: str, headers: dict[str, str], seconds: float) -> None:
    with pytest.raises(Transient) as limited:
        check(refusal(policy, **headers), back_off=33.0, zone="UTC")

    assert limited.value.code == "rate_limited"
    assert limited.value.wait == timedelta(seconds=seconds)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "UTC", "no zone"])
def test_the_daily_limit_waits_for_the_portals_midnight(zone: str) -> None:
    with pytest.raises(Transient) as limited:
        check(refusal("DAILY"), back_off=1.0, zone=zone)

    assert limited.value.code == "daily_limit"
    assert limited.value.wait is not None
    ends = datetime.now(UTC) + limited.value.wait
    local = ends.astimezone(ZoneInfo(zone if "/" in zone else "UTC"))
    assert abs((local.replace(hour=0, minute=0, second=0, microsecond=0) - local).total_seconds()) < 2


def test_after_the_daily_limit_nothing_more_is_sent(portal: StandIn) -> None:
    with Proxy(portal.url) as proxy:  # an address of its own: its silence is not the other tests'
        connector = hubspot(portal, CONTACTS, url=proxy.url)
        connector.check()
        connector.prepare()
        write = connector.writes()["upsert_contacts"]
        portal.configure(daily=0)
        with pytest.raises(Transient) as first:
            write.send([item("1")])
        sent = connector.requests

        with pytest.raises(Transient) as later:
            write.send([item("1")])
        assert (first.value.code, later.value.code) == ("daily_limit", "rate_limited")
        assert connector.requests == sent
        connector.close()


def test_a_short_wait_of_a_read_is_waited_for(portal: StandIn) -> None:
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, url=proxy.url)
        portal.configure(searches=1)
        feed = connector.feeds([])[0]

        for _ in range(2):
            feed.fetch(None, None)
        assert portal.counts()["search"] == 3
        connector.close()


def test_a_search_that_came_too_fast_holds_back_every_token_of_the_portal(portal: StandIn) -> None:
    portal.configure(portal_id=815)
    with Proxy(portal.url) as proxy:
        first, second = (hubspot(portal, url=proxy.url, token=f"{portal.token}{app}") for app in ("-a", "-b"))
        for one in (first, second):
            one.check()
        proxy.faults(Fault(trouble="429", path="/search", retry_after="60"))
        with pytest.raises(Transient):
            first.feeds([])[0].fetch(None, None)
        sent = second.requests
        with pytest.raises(Transient) as waits:
            second.feeds([])[0].fetch(None, None)

        assert (waits.value.code, second.requests) == ("rate_limited", sent)
        for one in (first, second):
            one.close()


def test_searches_are_counted_by_portal_and_requests_by_app(portal: StandIn) -> None:
    limits = HubSpotCredentials(access_token=SecretStr("x"))
    assert (limits.rate, limits.search_rate) == (9.0, 4.0)
    with Proxy(portal.url) as proxy:
        # another connector of the portal is told to wait
        limiter_for(f"hubspot search {proxy.url} 4711", None).pause(60)
        connector = hubspot(portal, url=proxy.url)
        feed = connector.feeds([])[0]
        feed.fetch(None, None)
        with pytest.raises(Transient) as waits:
            connector.check()
        connector.close()

    assert waits.value.code == "rate_limited"
