"""No patient's value and no secret is anywhere but at the declared target, whatever happened to the run."""

import base64
import gzip
import pickle
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from flows.server import LocalServer, wait_for_records
from tests.faults import leaky
from tests.faults.conftest import MakeLedger
from tests.faults.leaks import Scanner
from tests.faults.story import Story, told, watching
from tests.faults.wire import Tap
from tests.faults.world import FORKS

pytestmark = pytest.mark.xdist_group("canaries")

STEM = "CANARY_"  # of every text canary; the others are dates, telephone numbers and amounts
PLANTED = "Planted-Word 4711@example.com"
NUMBER = "8675309"


@pytest.fixture(scope="module")
def server() -> Iterator[Mapping[str, str]]:
    """A Prefect server of these tests' own: all that it holds is scanned."""
    folder = Path(tempfile.mkdtemp(prefix="ferry-scanned-"))
    started = LocalServer(folder)
    started.ready()
    yield {"PREFECT_API_URL": started.url, "PREFECT_HOME": str(folder), "DO_NOT_TRACK": "1"}
    started.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def story(
    server: Mapping[str, str], ledger: MakeLedger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    with told(tmp_path_factory.mktemp("acts"), server, ledger) as happened:
        assert wait_for_records(server["PREFECT_API_URL"])
        time.sleep(3.0)  # events and logs are written a little later
        yield happened


@pytest.fixture(scope="module")
def scanner(story: Story) -> Scanner:
    others = {word for word in story.words if STEM not in word.upper()}
    return Scanner({STEM, *others, *story.ids})


def test_the_canaries_did_go_through_everything(story: Story, server: Mapping[str, str]) -> None:
    codes = {name: said.code for name, said in story.said.items()} | story.codes

    assert {name: code for name, code in codes.items() if code == 0}.keys() == {
        "good", "status", "explain", "run", "dry run", "resumed",
    }  # fmt: skip
    assert {name for name, code in codes.items() if code == 3} == {
        "gate refuses", "program raises", "target all_refused", "target 502_after", "target html",
    }  # fmt: skip
    assert {name for name, code in codes.items() if code == 1} == {
        "source partial", "source half_json", "failing run",
    }  # fmt: skip
    assert all(
        STEM.encode() in (story.base / name / "warehouse.db").read_bytes() for name in ("good", "killed")
    )
    assert STEM in story.said["dry run"].out  # the person who asks sees values
    assert all(
        (story.base / name / "everything.log").stat().st_size > 1000
        for name in story.codes
        if name != "resumed"
    )
    scanned = Scanner([STEM])
    assert {hit.place for hit in scanned.hits("healthie", story.taps["healthie"].sent())} == {"healthie"}
    assert {hit.place for hit in scanned.hits("probe", story.taps["probe"].sent())} == {"probe"}


def test_nothing_below_our_folders_but_the_declared_target(story: Story, scanner: Scanner) -> None:
    assert scanner.in_folder(story.base, story.targets()) == set()


def test_nothing_in_prefect(story: Story, scanner: Scanner, server: Mapping[str, str]) -> None:
    home = Path(server["PREFECT_HOME"])

    assert (home / "prefect.db").stat().st_size > 100_000
    assert scanner.in_folder(home) == set()
    assert scanner.hits("sent to Prefect", story.taps["prefect"].sent()) == set()


def test_nothing_in_what_commands_say_but_what_was_asked_for(story: Story, scanner: Scanner) -> None:
    asked = {story.ids[0]}
    hits = set[object]()
    for name, said in story.said.items():
        hits |= scanner.hits(f"{name} on stderr", said.err)
        if name != "dry run":
            found = scanner.hits(f"{name} on stdout", said.out)
            hits |= {hit for hit in found if not (name == "explain" and hit.word in asked)}

    assert hits == set()
    spoken = [line for line in story.said["failing run"].err.splitlines() if line.startswith("ferry: ")]
    assert len(spoken) == 1
    assert "INTERNAL_SERVER_ERROR" in spoken[0]
    assert "Traceback" not in story.said["failing run"].err


def test_nothing_in_request_lines_headers_and_command_lines(story: Story, scanner: Scanner) -> None:
    hits = set[object]()
    for name, tap in story.taps.items():
        for head in tap.heads():
            hits |= scanner.hits(f"a head to {name}", head)
    asked = f"explain\x00acme/everything\x00{story.ids[0]}".encode()
    for line in story.argv:
        hits |= scanner.hits("a command line", line.replace(asked, b""))

    assert len(story.taps["healthie"].heads()) > 50
    assert any(b"--sweep" in line for line in story.argv)
    assert hits == set()


def test_no_session_note_was_ever_asked_for_and_one_would_have_been_noticed() -> None:
    with StandIn(2, seed=9) as healthie:
        query = {"query": "{ users(first: 1) { nodes { id quick_notes } } }"}
        headers = {
            "Authorization": f"Basic {healthie.api_key}",
            "AuthorizationSource": "API",
            "Healthie-GraphQL-API-Version": "2026-01-01",
        }
        before = healthie.notes()
        httpx.post(healthie.endpoint, json=query, headers=headers, trust_env=False).raise_for_status()

        assert before == {}
        assert healthie.notes() == {"User.quick_notes": 1}


ENCODED = {
    "plain": PLANTED.encode(),
    "plain, other case": PLANTED.upper().encode(),
    "url": quote(PLANTED, safe="").encode(),
    "url, every byte": "".join(f"%{byte:02X}" for byte in PLANTED.encode()).encode(),
    "hex": PLANTED.encode().hex().encode(),
    "hex, upper": PLANTED.encode().hex().upper().encode(),
    "base64": base64.b64encode(PLANTED.encode()),
    "base64, shifted by one": base64.b64encode(b"x" + PLANTED.encode() + b"yz"),
    "base64, shifted by two": base64.b64encode(b"xx" + PLANTED.encode() + b"y"),
    "base64, url-safe": base64.urlsafe_b64encode(b"\xfb\xff" + PLANTED.encode()),
    "utf-16": PLANTED.encode("utf-16"),
    "utf-16, big end": PLANTED.encode("utf-16-be"),
    "json": "".join(f"\\u{ord(letter):04X}" for letter in PLANTED).encode(),
    "reversed": PLANTED[::-1].encode(),
    "gzip": gzip.compress(b'{"name": "' + PLANTED.encode() + b'"}'),
    "zlib in the middle": b"before" + zlib.compress(PLANTED.encode()) + b"after",
    "gzip in base64": base64.b64encode(gzip.compress(PLANTED.encode())),
    "zlib in url-safe base64": base64.urlsafe_b64encode(zlib.compress(PLANTED.encode())),
    "pickle": pickle.dumps({"name": PLANTED}),
    "pickle in base64": base64.b64encode(pickle.dumps(["x", PLANTED])),
    "a number": f"patient {NUMBER}.".encode(),
    "a number in base64": base64.b64encode(f"patient {NUMBER}.".encode()),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_the_scanner_finds_every_encoding(encoding: str) -> None:
    found = Scanner([PLANTED, NUMBER]).hits(
        "here", b"\x00\x01 text before " + ENCODED[encoding] + b" and after"
    )

    assert {hit.word for hit in found} == {NUMBER if "number" in encoding else PLANTED}


def test_the_scanner_finds_no_number_in_a_longer_one() -> None:
    content = f"1{NUMBER} {NUMBER}2 x{NUMBER} {PLANTED[:-1]}"

    assert Scanner([PLANTED, NUMBER]).hits("here", content) == set()


LEAKY = {
    "prefect.db: flow_run.parameters", "prefect.db: flow_run.name", "prefect.db: task_run.name",
    "prefect.db: log.message", "prefect.db: artifact.data", "prefect.db: task_run_state.message",
    "prefect.db: flow_run_state.message", "prefect.db: events.payload",
}  # fmt: skip


def test_a_leaky_flow_is_caught_on_every_surface(
    server: Mapping[str, str], probe: ProbeServer, tmp_path: Path
) -> None:
    word, home = "Planted-4711@example.com", Path(server["PREFECT_HOME"])
    argv: set[bytes] = set()
    process = FORKS.Process(target=leaky.main, args=(word, dict(server), str(tmp_path)))
    process.start()
    process.join(60)
    with Tap(int(probe.url.rsplit(":", 1)[1])) as tap, watching(argv):
        leaky.plant(tmp_path, word, tap.port)
        heads = tap.heads()
    time.sleep(4.0)  # events and logs are written a little later
    scanner = Scanner([word])
    prefect = {hit.place for hit in scanner.in_folder(home)}
    ours = {hit.place for hit in scanner.in_folder(tmp_path)}

    assert process.exitcode == 0
    process.close()
    assert prefect >= LEAKY
    assert any(place.startswith("storage/") for place in prefect)  # the result of a task
    assert ours >= {"leaky.log", "content.txt", f"name of name of {word}.txt", "clear.db: entry.code",
                    "clear.db: entry.sealed"}  # fmt: skip
    assert [bool(scanner.hits("head", head)) for head in heads] == [True, True]
    assert any(scanner.hits("argv", line) for line in argv)
