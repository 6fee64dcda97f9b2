"""A stored connection opens for its own tenant, connection and environment, and for nothing else."""

import base64
import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from connectors.base import Account
from connectors.sandbox.healthie import StandIn
from flows import blocks
from flows.blocks import ConnectionUnusable, Contents, SealedConnection
from flows.opening import tenant_seal
from flows.settings import Settings
from flows.vault import Seal
from tests.flows.connections.office import Office

ACCOUNT = Account(system="healthie", identity="127.0.0.1/organization/1", sandbox=True)
SECRET = "gh_sbox_sealed_4711"
REFUSED = r"^acme: connection healthie does not open: it was sealed for another tenant, connection or environ"


@pytest.fixture
def two(office: Office, healthie: StandIn) -> Office:
    """Two tenants, both connected."""
    office.tenant("borg", {"url": healthie.endpoint})
    office.connect("acme")
    office.connect("borg")
    return office


def test_swapped_ciphertexts_do_not_open(two: Office, healthie: StandIn) -> None:
    sealed = {name: document["data"]["sealed"] for name, document in two.documents().items()}
    two.edit("ferry-acme-healthie", sealed=sealed["ferry-borg-healthie"])
    two.edit("ferry-borg-healthie", sealed=sealed["ferry-acme-healthie"])
    healthie.reset()

    for tenant in ("acme", "borg"):
        assert two.run(tenant) == 1
        assert f"{tenant}: connection healthie does not open: it was sealed for another tenant" in two.said()
    assert healthie.requests()["count"] == 0


def test_a_copied_block_does_not_open(two: Office, healthie: StandIn) -> None:
    """The whole document, under the other tenant's name: it says whose it is; and if that is changed, too…"""
    document = two.documents()["ferry-acme-healthie"]
    two.ferry("disconnect", "borg", "healthie", "--yes")
    copied = {key: document[key] for key in ("data", "block_type_id", "block_schema_id")}
    url = f"{two.prefect['PREFECT_API_URL']}/block_documents/"
    httpx.post(url, json={**copied, "name": "ferry-borg-healthie"}).raise_for_status()
    healthie.reset()

    as_it_is, says = two.run("borg"), two.said()
    two.edit("ferry-borg-healthie", tenant="borg")
    altered, says_then = two.run("borg"), two.said()

    assert (as_it_is, altered) == (1, 1)
    assert "which is of acme's healthie; rename one of them" in says
    assert "borg: connection healthie does not open" in says_then
    assert healthie.requests()["count"] == 0


def test_a_block_of_another_connection_does_not_open(two: Office, healthie: StandIn) -> None:
    documents = two.documents()
    two.edit("ferry-acme-healthie", sealed=documents["ferry-acme-warehouse"]["data"]["sealed"])
    other_connection = two.run("acme"), two.said()
    two.edit("ferry-acme-healthie", sealed=documents["ferry-acme-healthie"]["data"]["sealed"])

    assert other_connection[0] == 1 and "acme: connection healthie does not open" in other_connection[1]
    assert two.run("acme") == 0


def test_the_pinned_account_is_inside_the_seal(two: Office, healthie: StandIn) -> None:
    two.edit("ferry-acme-healthie", account="127.0.0.1/organization/19000002")

    assert two.run("acme") == 1
    assert "acme: connection healthie does not open" in two.said()


def test_names_that_clash_are_one_line(office: Office, healthie: StandIn) -> None:
    for tenant in ("acme-east", "acme_east"):
        office.tenant(tenant, {"url": healthie.endpoint})
    secret = {"api_key": healthie.api_key}
    first = office.ferry("connect", "acme-east", "healthie", given=secret)
    kept = office.documents()

    second = office.ferry("connect", "acme_east", "healthie", given=secret)

    assert first.code == 0
    assert (
        "acme_east: connection healthie has the block ferry-acme-east-healthie, which is of acme-east's"
        in second.err
    )
    assert len(second.err.splitlines()) == 1
    assert office.documents() == kept


def test_a_changed_byte_does_not_open(seal: Seal) -> None:
    block = _block(seal)
    envelope = base64.b64decode(block.sealed)
    draw, opened = random.Random(5), 0
    for _ in range(300):
        at, bit = draw.randrange(len(envelope)), 1 << draw.randrange(8)
        flipped = envelope[:at] + bytes([envelope[at] ^ bit]) + envelope[at + 1 :]
        opened += _opens(block, seal, base64.b64encode(flipped).decode(), "acme", "healthie")

    assert opened == 0
    assert _opens(block, seal, block.sealed, "acme", "healthie") == 1


def test_another_context_does_not_open_with_the_very_same_key() -> None:
    key = bytes(range(32))
    block = _block(Seal(key, environment="local", tenant="acme"))
    parts = ["acme", "acm", "borg", "acme-healthie", "a", "healthie", "warehouse", "e", "", "local"]
    contexts = list(itertools.product(["local", "production", "acme"], parts, parts))
    right = ("local", "acme", "healthie")
    opened = sum(
        _opens(block, Seal(key, environment=environment, tenant=tenant), block.sealed, tenant, name)
        for environment, tenant, name in contexts
        if (environment, tenant, name) != right
    )

    assert (len(contexts), opened) == (300, 0)
    assert _opens(block, Seal(key, environment="local", tenant="acme"), block.sealed, "acme", "healthie") == 1


@pytest.mark.parametrize("sealed", ["", "not base64!", "AAAA", "AQ=="])
def test_what_is_no_envelope_does_not_open(seal: Seal, sealed: str) -> None:
    block = _block(seal).model_copy(update={"sealed": sealed})
    with pytest.raises(ConnectionUnusable, match=REFUSED) as refused:
        blocks.open_sealed(block, seal, "acme", "healthie")

    assert refused.value.__context__ is None
    assert SECRET not in repr(refused.value)


def test_a_secret_is_in_no_text_of_what_was_opened(seal: Seal) -> None:
    opened = blocks.open_sealed(_block(seal), seal, "acme", "healthie")

    assert opened.secrets["api_key"].get_secret_value() == SECRET
    assert SECRET not in f"{opened!r}{opened}{opened.model_dump_json()}{_block(seal)!r}{_block(seal).sealed}"


@pytest.fixture
def seal(office: Office) -> Iterator[Seal]:
    with tenant_seal(Settings(home=office.folder), "acme") as made:
        yield made


def _block(seal: Seal) -> SealedConnection:
    contents = Contents(secrets={"api_key": SecretStr(SECRET)}, account=ACCOUNT)
    at = datetime(2026, 11, 28, tzinfo=UTC)
    return SealedConnection(
        tenant="acme", connection="healthie", connector="healthie", account=ACCOUNT.identity, sandbox=True,
        sealed=blocks.seal(contents, seal, "healthie"), checked=at, rotated=at,
    )  # fmt: skip


def _opens(block: SealedConnection, seal: Seal, sealed: str, tenant: str, connection: str) -> int:
    try:
        blocks.open_sealed(block.model_copy(update={"sealed": sealed}), seal, tenant, connection)
    except ConnectionUnusable:
        return 0
    return 1
