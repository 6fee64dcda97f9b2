"""Values in Google Secret Manager, read by Google's own client through Prefect's block."""

from collections.abc import Callable, Iterator

import pytest
from prefect_gcp import GcpCredentials, GcpSecret

from connectors.sandbox.healthie import StandIn
from tests.flows.connections.office import Office, elsewhere
from tests.flows.connections.secret_manager import PROJECT, SecretManager

BLOCK = "acme-healthie-key"


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretManager]:
    made = SecretManager(tmp_path_factory.mktemp("google"))
    yield made
    made.stop()


@pytest.fixture
def there(office: Office, google: SecretManager, healthie: StandIn) -> Office:
    """A tenant whose key is in Secret Manager alone."""
    google.secrets, google.refused = {BLOCK: healthie.api_key.encode() + b"\n"}, set()
    google.asked.clear()
    office.extra = dict(google.environment)
    office.tenant("acme", {"url": healthie.endpoint, "api_key": f"secret-manager:{BLOCK}"})
    with office.here():
        credentials = GcpCredentials(service_account_info=google.account, project=PROJECT)
        credentials.save("acme-google", overwrite=True)
        GcpSecret(gcp_credentials=GcpCredentials.load("acme-google"), secret_name=BLOCK).save(
            BLOCK, overwrite=True
        )
    office.ferry("connect", "acme", "warehouse", given={"url": office.url("acme")})
    return office


def test_a_run_reads_its_key_from_secret_manager_and_pins_its_account(
    there: Office, google: SecretManager, healthie: StandIn
) -> None:
    made = there.process("connect", "acme", "healthie")

    ran = there.run("acme")

    assert made.code == 0, made.err
    assert ran == 0, there.said()
    assert google.asked == [f"projects/{PROJECT}/secrets/{BLOCK}/versions/latest"] * 2
    told = there.ferry("connections", "acme")
    assert told.code == 0, told.err
    listed = told.out.splitlines()[0]
    assert listed.endswith(f"secret-manager:{BLOCK}") and "organization/19000001" in listed
    with elsewhere(healthie):
        assert there.run("acme") == 1
    assert "account_mismatch" in there.said()
    assert healthie.api_key not in there.said() + made.out + made.err


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda google: google.refused.add(BLOCK), "cannot be read (PermissionDenied); check its name"),
        (lambda google: google.secrets.clear(), "cannot be read (NotFound); check its name"),
        (lambda google: google.secrets.update({BLOCK: b"\xff\xfe"}), "is no text; store the secret as UTF-8"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_line(
    there: Office,
    google: SecretManager,
    healthie: StandIn,
    spoil: Callable[[SecretManager], object],
    problem: str,
) -> None:
    spoil(google)

    assert there.run("acme") == 1
    assert f"acme: connection healthie: secret-manager:{BLOCK} {problem}" in there.said()
    assert healthie.requests()["count"] == 0


def test_a_block_that_is_not_there_is_one_line(there: Office, healthie: StandIn) -> None:
    there.tenant("acme", {"url": healthie.endpoint, "api_key": "secret-manager:nowhere"})

    assert there.run("acme") == 1
    assert "secret-manager:nowhere is no GcpSecret block of this Prefect server" in there.said()
