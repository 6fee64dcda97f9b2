"""The probe as the common suite takes it: one write of each delivery class."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from connectors.operation import Arguments
from connectors.sandbox.probe import Probe, ProbeCredentials, ProbeServer
from connectors.sandbox.proxy import Proxy
from tests.connectors.every import MARK, Case, Held, Make, Sample, World

NAMES = ("first_name", "last_name", "email", "phone", "active")


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    with ProbeServer() as server, Proxy(server.url) as proxy:
        credentials = ProbeCredentials(url=proxy.url, timeout=0.5, horizon=0.0)

        def records(write: str) -> list[Held]:
            effects = [one for one in server.effects() if one.operation == write]
            acts: list[Held] = [{**one.arguments, "patient": one.patient} for one in effects]
            return _merged(acts) if write == "upsert_contact" else acts

        yield World(
            connect=lambda: Probe(credentials),
            samples=[
                Sample("keyed_charge", _made("memo", amount=1250), text="memo"),
                Sample("upsert_contact", _made("last_name", email="ana@example.com"), text="last_name"),
                Sample("create_order", _made("product"), text="product"),
                Sample("send_event", _made("name"), text="name"),
            ],
            records=records,
            values={"url": proxy.url},
            proxy=proxy,
        )


def _made(text: str, **more: JsonValue) -> Make:
    def make(record: int, version: int) -> tuple[str, Arguments]:
        return f"p{record}", {text: f"{MARK} {version}", **more}

    return make


def _merged(acts: list[Held]) -> list[Held]:
    """The contact of each patient, as all acts on it have left it."""
    contacts: dict[JsonValue, dict[str, JsonValue]] = {}
    for act in acts:
        contacts.setdefault(act["patient"], {}).update(act)
    return list(contacts.values())


def _answers(path: str, answer: JsonValue) -> list[JsonValue] | None:
    return answer if isinstance(answer, list) and path.startswith("/write/") else None


CASES = [
    Case(
        name="probe",
        connector=Probe,
        credentials=ProbeCredentials,
        opened=opened,
        answers=_answers,
        exempt={
            "test_killed_at_random_moments": "it has no tables; tests/faults/test_random_kills.py kills it",
            "test_a_schema_that_changes_in_the_middle": "its system has a fixed schema, in the same package",
            "test_an_absurd_wait_is_kept_by_all": "it hands every wait to its caller, as it came",
            "test_faults[half]": "half of a JSON list is none, as with truncated",
        },
    )
]
