"""No secret is anywhere at rest, in a log, a command line or an error, whatever was done with it."""

import base64
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect.blocks.system import Secret
from prefect.variables import Variable
from pydantic import SecretStr

from connectors.sandbox.healthie import StandIn
from flows import connecting
from flows.errors import Spoken
from flows.opening import tenant_seal
from flows.settings import Settings
from flows.tenants import ConnectionSettings
from flows.vault import SealBroken
from tests.faults.leaks import Hit, Scanner
from tests.faults.story import watching
from tests.flows.connections.conftest import without_anchors
from tests.flows.connections.office import Office, elsewhere, named_patients
from tests.prefect_api import ask

WORD = "Sesame-Word-4711"
WRONG = "gh_sbox_wrong_77aa01"
PLANTED = "gh_sbox_planted_0815"


@dataclass(frozen=True)
class Told:
    """Everything that was done with secrets, and all that it left behind."""

    office: Office
    scanner: Scanner
    words: str
    argv: set[bytes]


@pytest.fixture(scope="module")
def told(
    healthie: StandIn, prefect: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    named_patients(healthie)
    without_anchors(prefect)
    office = Office(healthie, prefect, tmp_path_factory.mktemp("told"))
    office.tenant("acme", {"url": healthie.endpoint})
    argv: set[bytes] = set()
    key = {"api_key": healthie.api_key}
    log = office.folder / "everything.log"
    with watching(argv):
        said = [office.process("connect", "acme", "healthie", given=key)]
        said += [office.ferry("connect", "acme", "warehouse", given={"url": office.url("acme")})]
        said += [office.ferry("connect", "acme", "healthie", given={"api_key": WRONG})]
        server = f"postgresql://ferry:{WORD}@127.0.0.1:9/x"
        said += [office.ferry("connect", "acme", "warehouse", given={"url": server})]
        said += [office.ferry("connect", "acme", "warehouse", given={"url": f"nonsense://{WORD}"})]
        said += [office.ferry("connections")]
        codes = [office.run("acme", TEST_EVERYTHING_LOG=str(log))]
        with elsewhere(healthie):
            codes += [office.run("acme", TEST_EVERYTHING_LOG=str(log))]
    assert [one.code for one in said] == [0, 0, 1, 1, 1, 0]
    assert codes == [0, 1]
    assert log.stat().st_size > 10_000
    words = "".join(one.out + one.err for one in said) + office.said() + log.read_text()
    yield Told(office, Scanner([healthie.api_key, WRONG, WORD]), words, argv)
    office.clear()


def test_no_secret_is_at_rest_and_the_same_scan_finds_planted_ones(told: Told) -> None:
    office, home = told.office, Path(told.office.prefect["PREFECT_HOME"])
    clear = _documents(office)
    files = told.scanner.in_folder(home) | told.scanner.in_folder(office.folder / "home")

    with office.here():
        Secret(value=PLANTED).save("planted", overwrite=True)
        Variable.set("planted", PLANTED, overwrite=True)
    planted = Scanner([PLANTED])

    assert "ferry-acme-healthie" in clear and "127.0.0.1/organization" in clear
    assert told.scanner.hits("documents", clear) == set()
    assert files == set()
    assert planted.hits("documents", _documents(office)) != set()
    assert _until(lambda: planted.in_folder(home)) != set()


def test_no_secret_is_in_words_and_command_lines(told: Told) -> None:
    assert told.scanner.hits("words", told.words) == set()
    assert any(b"connect\x00acme\x00healthie" in line for line in told.argv)
    for line in told.argv:
        assert told.scanner.hits("argv", line) == set()


def test_both_databases_together_open_nothing_without_the_key(told: Told) -> None:
    stolen = told.office.folder / "stolen"
    stolen.mkdir()
    for file in (told.office.folder / "home").glob("ledger.db*"):
        shutil.copy(file, stolen)
    assert (stolen / "ledger.db").exists()

    with pytest.raises(SealBroken), tenant_seal(Settings(home=stolen), "acme"):
        pass


@pytest.mark.parametrize(
    ("connector", "settings", "secrets"),
    [
        ("sql", {}, {"url": WORD}),
        ("sql", {}, {"url": f"postgresql://ferry:{WORD}@127.0.0.1:9/x"}),
        ("healthie", {"url": "http://example.com"}, {"api_key": WORD}),
        ("healthie", {"url": "http://127.0.0.1:9/", "patience": "x"}, {"api_key": WORD}),
        ("healthie", {"url": "STAND_IN"}, {"api_key": WORD}),
        ("healthie", {"url": "STAND_IN"}, {"api_key": f"{WORD}\n"}),
        ("healthie", {"url": "STAND_IN"}, {"api_key": f"ä{WORD}"}),
        ("probe", {"url": "http://192.0.2.1/"}, {"token": WORD}),
        ("model", {"limits": "x"}, {"api_key": WORD}),
    ],
)
def test_an_error_and_what_led_to_it_quote_no_secret(
    healthie: StandIn, connector: str, settings: dict[str, str], secrets: dict[str, str]
) -> None:
    settings = {name: healthie.endpoint if text == "STAND_IN" else text for name, text in settings.items()}
    described = ConnectionSettings.model_validate({"connector": connector, "settings": settings})
    given = {name: SecretStr(text) for name, text in secrets.items()}
    with pytest.raises(Spoken) as refused:
        connecting.checked("acme", "it", described, given, environment="local")

    assert WORD not in f"{refused.value!r}"
    assert (refused.value.__context__, refused.value.__cause__) == (None, None)
    assert "\n" not in str(refused.value)


def _documents(office: Office) -> str:
    """All block documents, decrypted by Prefect: its key is in the same database."""
    url = f"{office.prefect['PREFECT_API_URL']}/block_documents/filter"
    answer = ask("POST", url, json={"include_secrets": True, "limit": 200}).json()
    sealed = [base64.b64decode(str(one["data"].get("sealed", ""))).decode("latin-1") for one in answer]
    return f"{answer}{sealed}"


def _until(found: Callable[[], set[Hit]], limit: float = 20.0) -> set[Hit]:
    deadline = time.monotonic() + limit
    while not (hits := found()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return hits
