"""Connecting at the command line: what is asked, tried, told, stored, and what never shows."""

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from connectors.sandbox.healthie import StandIn
from tests.flows.connections.office import Office, elsewhere

WRONG = "gh_sbox_wrong_77aa01"


def test_a_run_needs_nothing_but_what_is_sealed(office: Office, healthie: StandIn) -> None:
    before = office.run("acme")
    refused = office.said()
    made = office.process("connect", "acme", "healthie", given={"api_key": healthie.api_key})
    office.ferry("connect", "acme", "warehouse", given={"url": office.url("acme")})

    ran = office.run("acme")
    listed = office.process("connections")

    assert before == 1 and "run: ferry connect acme healthie" in refused
    assert made.code == 0 and "reached 127.0.0.1/organization/19000001" in made.out, made.err
    assert ran == 0, office.said()
    assert sorted(office.documents()) == ["ferry-acme-healthie", "ferry-acme-warehouse"]
    ours, theirs = listed.out.splitlines()
    assert ours.startswith("acme/healthie  healthie  127.0.0.1/organization/")
    assert "rotated 20" in ours and ours.endswith("sealed")
    assert theirs.startswith("acme/warehouse  sql  sqlite://local/")
    for secret in (healthie.api_key, office.url("acme")):
        assert secret not in made.out + listed.out + refused + office.said()


def test_a_wrong_key_stores_nothing_and_replaces_nothing(office: Office, healthie: StandIn) -> None:
    refused = office.ferry("connect", "acme", "healthie", given={"api_key": WRONG})
    nothing = office.documents()
    office.connect("acme")
    kept = office.documents()

    again = office.ferry("connect", "acme", "healthie", given={"api_key": WRONG})

    for one in (refused, again):
        assert one.code == 1
        assert one.err.startswith("ferry: healthie: the API key is not accepted; nothing was changed, put it")
        assert len(one.err.splitlines()) == 1
        assert WRONG not in one.out
    assert nothing == {}
    assert office.documents() == kept
    assert office.run("acme") == 0


def test_a_secret_is_replaced_once_the_new_one_was_tried(office: Office, healthie: StandIn) -> None:
    office.connect("acme", healthie.narrow_key)
    before = office.documents()["ferry-acme-healthie"]

    office.connect("acme")

    after = office.documents()["ferry-acme-healthie"]
    assert after["id"] == before["id"]
    assert after["data"]["sealed"] != before["data"]["sealed"]
    assert after["data"]["rotated"] > before["data"]["rotated"]
    assert office.run("acme") == 0


def test_missing_permissions_are_told_and_a_run_refuses(office: Office, healthie: StandIn) -> None:
    done = office.ferry("connect", "acme", "healthie", given={"api_key": healthie.narrow_key})
    office.ferry("connect", "acme", "warehouse", given={"url": office.url("acme")})
    healthie.reset()

    ran = office.run("acme")

    assert done.code == 0
    assert "it lacks sees_all_clients, can_see_billing" in done.out
    assert "lacks sees_all_clients" in office.ferry("connections", "acme").out
    assert ran == 1
    assert "missing_permission: healthie: the key's account lacks sees_all_clients" in office.said()
    assert healthie.requests()["roots"] == {"currentUser": 1}


def test_another_account_must_be_agreed_to(office: Office, healthie: StandIn) -> None:
    office.connect("acme")
    kept = office.documents()
    secret = {"api_key": healthie.api_key}
    with elsewhere(healthie):
        refused = office.ferry("connect", "acme", "healthie", given=secret)
        unchanged = office.documents()
        agreed = office.ferry("connect", "acme", "healthie", "--new-account", given=secret)
        ran = office.run("acme")

    assert refused.code == 1
    assert "nothing was changed. If the new account is right" in refused.err
    assert len(refused.err.splitlines()) == 1
    assert unchanged == kept
    assert (agreed.code, ran) == (0, 0)


def test_at_a_terminal_a_secret_is_typed_and_not_shown(office: Office, healthie: StandIn) -> None:
    shown, code = _at_terminal(office, ["connect", "acme", "healthie"], "hidden: ", healthie.api_key)

    assert code == 0, shown
    assert "healthie api_key, hidden: " in shown
    assert "sealed and stored" in shown
    assert healthie.api_key not in shown


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("plain-word-4711", 'standard input is not one JSON object of texts {"api_key": "…"}'),
        ('{"api_key": "plain-word-4711", "url": "x"}', "standard input is not one JSON object"),
        ('{"api_key": 4711}', "standard input is not one JSON object"),
        ("{}", "healthie: api_key was not given; nothing was changed"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_quoted(office: Office, given: str, line: str) -> None:
    done = office.ferry("connect", "acme", "healthie", given=given)

    assert done.code == 1
    assert line in done.err and len(done.err.splitlines()) == 1
    assert "4711" not in done.err + done.out
    assert office.documents() == {}


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["connect", "nobody", "healthie"], {}, "tenant.yaml: cannot be read"),
        (["connect", "acme", "ehr"], {}, "tenant.yaml has no connection ehr; there are: healthie, warehouse"),
        (
            ["disconnect", "acme", "healthie", "--yes"],
            {},
            "connection healthie is not stored; see: ferry connections",
        ),
        (["connections"], {"FERRY_ENV": "production", "PREFECT_API_URL": ""}, "set PREFECT_API_URL"),
        (
            ["connections"],
            {"PREFECT_API_URL": "http://127.0.0.1:9/api"},
            "http://127.0.0.1:9/api does not answer",
        ),
    ],
)
def test_an_error_is_one_line(
    office: Office, arguments: list[str], environment: dict[str, str], line: str
) -> None:
    act = office.process if "http" in line else office.ferry
    done = act(*arguments, given={"api_key": "x"}, **environment)

    assert done.code == 1
    assert line in done.err and len(done.err.splitlines()) == 1


def test_a_disconnected_system_is_not_reached(office: Office, healthie: StandIn) -> None:
    office.connect("acme")
    asked = office.ferry("disconnect", "acme", "healthie")
    kept = "ferry-acme-healthie" in office.documents()

    done = office.ferry("disconnect", "acme", "healthie", "--yes")
    healthie.reset()

    assert asked.code == 1 and "run it again with --yes" in asked.err and kept
    assert done.code == 0 and "withdraw its key at the system, too" in done.out
    assert sorted(office.documents()) == ["ferry-acme-warehouse"]
    assert office.run("acme") == 1
    assert "connection healthie has no api_key; run: ferry connect acme healthie" in office.said()
    assert healthie.requests()["count"] == 0


def test_a_secret_in_a_file_is_refused(office: Office, healthie: StandIn) -> None:
    office.tenant("acme", {"url": healthie.endpoint, "api_key": healthie.api_key})

    done = office.ferry("connect", "acme", "healthie")

    assert done.code == 1
    assert "tenant.yaml holds api_key of connection healthie in clear" in done.err
    assert healthie.api_key not in done.err


def _at_terminal(office: Office, arguments: list[str], prompt: str, typed: str) -> tuple[str, int]:
    """What a terminal shows while a person answers one prompt."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "flows", *arguments],
        env={**os.environ, **office.environment()},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, answered, deadline = b"", False, time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1.0)[0]:
            continue
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed: the command has ended
            break
        if not part:
            break
        shown += part
        if not answered and prompt.encode() in shown:
            os.write(ours, typed.encode() + b"\n")
            answered = True
    code = child.wait(30)
    os.close(ours)
    return shown.decode(), code
