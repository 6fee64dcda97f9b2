"""The account that answers is the one that was pinned, or nothing is read."""

import pytest
from pydantic import SecretStr

from connectors.base import Account
from connectors.sandbox.healthie import StandIn
from flows import connecting
from flows.accounts import admit
from flows.boundary import CodedFailure
from flows.connections import Connections, described
from flows.opening import tenant_seal
from flows.settings import Settings
from flows.tenants import ConnectionSettings, IntegrationInvalid, load_tenant
from tests.flows.connections.office import Office, elsewhere


def test_another_account_stops_a_run_before_its_first_read(office: Office, healthie: StandIn) -> None:
    office.connect("acme")
    with elsewhere(healthie):
        healthie.reset()
        stopped = office.run("acme")
        asked = healthie.requests()
    healthie.reset()

    went_on = office.run("acme")

    assert stopped == 1
    assert asked["roots"] == {"currentUser": 1}
    lines = [line for line in office.said().splitlines() if line.startswith("ended:")]
    assert went_on == 0, lines
    assert int(str(healthie.requests()["count"])) > 1


def test_a_mismatch_is_one_coded_line(office: Office, healthie: StandIn) -> None:
    office.connect("acme")
    with elsewhere(healthie):
        office.run("acme")

    ended = next(line for line in office.said().splitlines() if line.startswith("ended:"))
    assert "account_mismatch: acme: connection healthie reaches 127.0.0.1/organization/19000002" in ended
    assert "made for 127.0.0.1/organization/19000001; nothing was read" in ended


def test_another_target_stops_a_run_before_its_first_read(office: Office, healthie: StandIn) -> None:
    folders = [office.folder / name for name in ("ours", "theirs")]
    for folder in folders:
        folder.mkdir()
    office.tenant("acme", {"url": healthie.endpoint}, {"folder": str(folders[0])}, system="csv")
    office.connect("acme")
    office.tenant("acme", {"url": healthie.endpoint}, {"folder": str(folders[1])}, system="csv")
    healthie.reset()

    stopped, said = office.run("acme"), office.said()
    asked = healthie.requests()["roots"]
    office.tenant("acme", {"url": healthie.endpoint}, {"folder": str(folders[0])}, system="csv")

    assert stopped == 1
    assert f"account_mismatch: acme: connection warehouse reaches {folders[1]}" in said
    assert asked == {"currentUser": 1}
    assert office.run("acme") == 0, office.said()
    assert ([*folders[0].iterdir()] != [], [*folders[1].iterdir()]) == (True, [])


@pytest.mark.parametrize("environment", ["production", "local"])
def test_production_needs_a_pin(office: Office, healthie: StandIn, environment: str) -> None:
    office.tenant("acme", {"url": healthie.endpoint, "api_key": "$A_KEY"})
    reached = Account(system="healthie", identity="127.0.0.1/organization/19000001", sandbox=True)

    def act() -> None:
        described = load_tenant(office.deployments, "acme").connections
        settings = Settings(home=office.folder, env=environment)
        with office.here(), tenant_seal(settings, "acme") as seal:
            admit(Connections("acme", described, seal, environment=environment), "healthie", reached)

    if environment == "local":
        act()  # values of this machine's environment have no pin
        return
    with pytest.raises(
        CodedFailure, match=r"^account_not_pinned: acme: connection healthie has no pinned account; "
    ):
        act()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/graphql", "https://localhost/graphql", "http://[::1]:1"]
)
def test_production_reaches_no_stand_in(url: str) -> None:
    written = ConnectionSettings(connector="healthie", settings={"url": url})

    assert described("acme", "healthie", written, environment="local") == {"url": url}
    with pytest.raises(IntegrationInvalid, match=r"^acme: connection healthie: url is on this machine, "):
        described("acme", "healthie", written, environment="production")


def test_production_takes_no_secret_from_the_environment(
    office: Office, healthie: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", healthie.api_key)
    office.tenant("acme", {"url": healthie.endpoint, "api_key": "$A_KEY"})

    done = office.ferry("connect", "acme", "healthie", FERRY_ENV="production")
    here = office.ferry("connect", "acme", "healthie", FERRY_HOME=str(office.folder / "here"))

    assert "takes A_KEY from the environment, which production refuses" in done.err
    assert here.code == 0


@pytest.mark.parametrize(
    "change",
    [{"identity": "b"}, {"system": "sql"}],
    ids=["identity", "system"],
)
def test_an_account_is_its_system_and_its_identity(office: Office, change: dict[str, object]) -> None:
    pinned = Account(system="healthie", identity="a", sandbox=True)
    opened = _pinned_to(office, pinned)

    admit(opened, "healthie", pinned)
    admit(opened, "healthie", pinned.model_copy(update={"sandbox": False}))
    with pytest.raises(CodedFailure) as stopped:
        admit(opened, "healthie", pinned.model_copy(update=change))
    assert stopped.value.code == "account_mismatch"


def _pinned_to(office: Office, account: Account) -> Connections:
    described = load_tenant(office.deployments, "acme").connections
    settings = Settings(home=office.folder)
    with office.here(), tenant_seal(settings, "acme") as seal:
        secrets = {"api_key": SecretStr("x")}
        connecting.keep(settings, "acme", "healthie", account, secrets, seal, agreed=lambda line: True)
        opened = Connections("acme", described, seal, environment="local")
        assert opened.pin("healthie") == account
    return opened
