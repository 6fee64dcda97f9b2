"""Alerts reach a person: on a real Prefect server, through a notification block, to a loopback address."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import JsonValue

from flows.alerts import WORKED
from flows.deploy import REMOVED
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.people.deployed import Json, ask, call, deploy, until

DAILY: JsonValue = [{"active": True, "schedule": {"cron": "5 6 * * *", "timezone": "America/New_York"}}]
SOON = 60.0  # seconds in which an alert must be told
PATIENT = "start0"


@dataclass
class Listener:
    """What was told to the person on call."""

    url: str = ""
    told: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def has(self, subject: str, words: str = "") -> bool:
        return any(subject in one["subject"] and words in one["body"] for one in self.told)


@pytest.fixture
def listener() -> Iterator[Listener]:
    here = Listener()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            here.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    here.url = f"http://127.0.0.1:{server.server_port}/alert"
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def block(prefect: Mapping[str, str], listener: Listener) -> str:
    """A notification block by that name, as somebody made it in the dashboard."""
    webhook = CustomWebhookNotificationBlock(
        name="on call", url=listener.url, json_data={"subject": "{{subject}}", "body": "{{body}}"}
    )
    with temporary_settings({PREFECT_API_URL: prefect["PREFECT_API_URL"]}):
        webhook.save("on-call", overwrite=True)
    return "on-call"


def automations(prefect: Mapping[str, str]) -> dict[str, Json]:
    found = cast(list[Json], call(prefect, "/automations/filter", {}))
    ours = [one for one in found if str(one["name"]).startswith("ferry acme: ")]
    assert len({str(one["name"]) for one in ours}) == len(ours)
    return {str(one["name"]).removeprefix("ferry acme: "): one for one in ours}


def test_alerts_made_twice_are_there_once_and_follow_the_deployments(here: Practice, block: str) -> None:
    deployed = deploy(here, "acme-twice")
    call(here.prefect, f"/deployments/{deployed.id}/schedules", DAILY)

    first, second = ferry(here, "alerts", "acme", "--to", block), ferry(here, "alerts", "acme", "--to", block)

    assert first.code == second.code == 0, first.err + second.err
    assert "ferry acme: failed: renewed" in second.out
    there = automations(here.prefect)
    assert {"failed", "red", "refusals", "held", "silent acme-twice"} <= set(there)
    silent = cast(Json, there["silent acme-twice"]["trigger"])
    assert silent["posture"] == "Proactive" and silent["within"] == 2 * 24 * 3600.0
    assert set(cast(list[str], silent["expect"])) == {f"prefect.flow-run.{state}" for state in WORKED}
    take_out(here.prefect, deployed.id)  # as ferry deploy does with what is not in the file any more
    deploy(here, "acme-other")

    third = ferry(here, "alerts", "acme", "--to", f"custom-webhook/{block}")

    assert "ferry acme: silent acme-twice: removed" in third.out, third.err
    assert "silent acme-twice" not in automations(here.prefect)


def test_failure_holds_and_silence_are_told_without_a_patients_data(
    here: Practice, block: str, listener: Listener
) -> None:
    assert here.run() == 0
    deployed = deploy(here, "acme-told")
    call(here.prefect, f"/deployments/{deployed.id}/schedules", DAILY)
    assert ferry(here, "alerts", "acme", "--to", block).code == 0
    shorten(here.prefect, automations(here.prefect)["silent acme-told"])

    here.extra = {"TEST_HEALTHIE_KEY": "wrong"}
    assert deployed.run()["state_type"] == "FAILED"

    assert until(lambda: listener.has("ferry acme: failed", "API key is not accepted"), within=SOON)
    here.extra = {}
    for at, one in enumerate(here.healthie.ids()):
        here.healthie.edit("User", one, last_name=f"{PATIENT}{at}")
    assert deployed.run()["state_name"] == "Suspended"
    assert until(lambda: listener.has("ferry acme: held", "acme/simple"), within=SOON)
    assert until(lambda: listener.has("silent acme-told", "No run of acme-told ended well"), within=SOON)
    assert PATIENT not in json.dumps(listener.told)


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["alerts", "acme", "--to", "nobody"], {}, "no notification block of this name"),
        (["alerts", "unknown", "--to", "nobody"], {}, "unknown: is not deployed on this server"),
        (["alerts", "acme", "--to", "nobody"], {"PREFECT_API_URL": ""}, "set PREFECT_API_URL to its address"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    here: Practice, arguments: list[str], environment: dict[str, str], line: str
) -> None:
    deploy(here, "acme-missing")

    said = ferry(here, *arguments, **environment)

    assert said.code == 1
    assert line in said.err
    assert len(said.err.strip().splitlines()) == 1


def shorten(prefect: Mapping[str, str], automation: Json) -> None:
    """As if two periods were ten seconds."""
    trigger = cast(Json, automation["trigger"]) | {"within": 10.0}
    kept = {key: automation[key] for key in ("name", "description", "enabled", "actions")}
    ask(prefect, "PUT", f"/automations/{automation['id']}", kept | {"trigger": trigger})


def take_out(prefect: Mapping[str, str], deployment: str) -> None:
    ask(prefect, "PATCH", f"/deployments/{deployment}", {"tags": ["ferry", "tenant:acme", REMOVED]})
