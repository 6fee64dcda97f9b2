"""What a portal says of itself, and when two are one."""

from contextlib import closing

import pytest

from connectors.base import Account
from connectors.sandbox.hubspot import StandIn
from tests.connectors.hubspot.portals import hubspot


@pytest.mark.parametrize(
    ("kind", "trials"),
    [("STANDARD", False), ("SANDBOX", True), ("DEVELOPER_TEST", True), ("APP_DEVELOPER", False), ("", False)],
)
def test_a_portal_is_for_trials_if_hubspot_says_so(portal: StandIn, kind: str, *, trials: bool) -> None:
    portal.configure(account_type=kind)
    with closing(hubspot(portal)) as there:
        assert there.check().sandbox == trials


def test_a_portal_is_one_by_whatever_host(portal: StandIn) -> None:
    def reached(host: str, number: int) -> Account:
        return Account(system="hubspot", identity=f"{host}/portal/{number}")

    with closing(hubspot(portal)) as there:
        one = there.check()
        assert there.is_same(one, reached("api-na2.hubapi.com", 4711))
        assert not there.is_same(one, reached("127.0.0.1", 47110))
