"""Google's own client library against a Cloud KMS of ours on loopback."""

import time
from pathlib import Path

import pytest

from flows.boundary import CodedFailure, guarded
from flows.ledger.database import connect
from flows.vault import (
    KeyDestroyed,
    KeyUnavailable,
    Seal,
    SealBroken,
    Wrapped,
    data_key_bound,
    new_data_key,
    open_data_key,
    wrap_again,
)
from flows.vault.cloudkms import CloudKms
from flows.vault.configured import Keychain
from tests.flows.vault.kms import NAME, OTHER, QUICK, KmsServer
from tests.flows.vault.ledgers import opened as opened_ledger
from tests.flows.vault.ledgers import tenants


def opened(kek: CloudKms, wrapped: Wrapped, environment: str = "production", tenant: str = "acme") -> Seal:
    return open_data_key(kek, wrapped, environment, tenant)


def one_line(error: Exception) -> str:
    text = str(error)
    assert "\n" not in text and "secret-word" not in text
    assert error.__cause__ is None and error.__context__ is None
    return text


def test_a_data_key_comes_back_and_its_kid_names_the_version(kms: KmsServer) -> None:
    wrapped = new_data_key(kms.kek(), "production", "acme")

    assert opened(kms.kek(), wrapped).keyed_hash("x") == opened(kms.kek(), wrapped).keyed_hash("x")
    assert wrapped.kid == f"gcp-kms:{NAME}/cryptoKeyVersions/1"
    assert wrapped != new_data_key(kms.kek(), "production", "acme")


@pytest.mark.parametrize(("environment", "tenant"), [("production", "other"), ("staging", "acme")])
def test_another_tenant_or_environment_does_not_open(kms: KmsServer, environment: str, tenant: str) -> None:
    wrapped = new_data_key(kms.kek(), "production", "acme")

    with pytest.raises(SealBroken) as caught:
        opened(kms.kek(), wrapped, environment, tenant)

    assert "check FERRY_ENV" in one_line(caught.value)


def test_what_is_stored_never_chooses_the_key(kms: KmsServer) -> None:
    """A row says that the other key wrapped it, and that is even true: only what is configured is asked."""
    wrapped = new_data_key(kms.kek(OTHER), "production", "acme")
    kms.requests.clear()

    with pytest.raises(SealBroken, match="another key than FERRY_KEK"):
        opened(kms.kek(), wrapped)
    assert kms.requests == []

    relabelled = Wrapped(f"gcp-kms:{NAME}/cryptoKeyVersions/1", wrapped.content)
    with pytest.raises(SealBroken):
        opened(kms.kek(), relabelled)


@pytest.mark.parametrize(
    "kid",
    [
        f"gcp-kms:{NAME}",
        f"gcp-kms:{NAME}/cryptoKeyVersions/",
        f"gcp-kms:{NAME}/cryptoKeyVersions/1/x",
        f"gcp-kms:{NAME}2/cryptoKeyVersions/1",
        f"{NAME}/cryptoKeyVersions/1",
        "file:0123456789abcdef",
        "",
    ],
)
def test_a_kid_that_is_not_exactly_the_keys_is_not_its(kms: KmsServer, kid: str) -> None:
    assert not kms.kek().opens(kid)
    assert kms.kek().opens(f"gcp-kms:{NAME}/cryptoKeyVersions/17")


@pytest.mark.parametrize(
    "fault", ["unavailable", "quota", "damage", "not verified", "another key", "damaged on its way", "hang"]
)
def test_what_passes_is_asked_again(kms: KmsServer, fault: str) -> None:
    kms.faults = [fault, fault]

    wrapped = new_data_key(kms.kek(), "production", "acme")

    assert kms.requests == ["encrypt"] * 3
    assert opened(kms.kek(), wrapped)


@pytest.mark.parametrize("fault", ["unavailable", "damage", "damaged on its way", "hang"])
def test_an_answer_that_was_damaged_or_late_is_asked_for_again(kms: KmsServer, fault: str) -> None:
    wrapped = new_data_key(kms.kek(), "production", "acme")
    expected = opened(kms.kek(), wrapped).keyed_hash("x")
    kms.faults = [fault]

    assert opened(kms.kek(), wrapped).keyed_hash("x") == expected
    assert kms.requests == ["encrypt", "decrypt", "decrypt", "decrypt"]


@pytest.mark.parametrize("fault", ["unavailable", "damage", "hang"])
def test_what_does_not_pass_ends_in_bounded_time_with_one_line(kms: KmsServer, fault: str) -> None:
    kms.faults = [fault] * 100_000
    began = time.monotonic()

    with pytest.raises(KeyUnavailable) as caught:
        new_data_key(kms.kek(), "production", "acme")

    assert time.monotonic() - began < QUICK.all + 2 * QUICK.one
    assert "Cloud KMS does not answer" in one_line(caught.value)


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("DESTROYED", KeyDestroyed, "a version of the key is destroyed"),
        ("DESTROY_SCHEDULED", KeyUnavailable, "restore it in Cloud KMS"),
        ("DISABLED", KeyUnavailable, "enable it in Cloud KMS"),
        ("PENDING_GENERATION", KeyUnavailable, "look at the key's state"),
    ],
)
def test_a_version_that_is_not_enabled_is_loud(
    kms: KmsServer, state: str, kind: type[Exception], words: str
) -> None:
    wrapped = new_data_key(kms.kek(), "production", "acme")
    kms.keys[NAME][0].state = state
    kms.requests.clear()

    with pytest.raises(kind) as caught:
        opened(kms.kek(), wrapped)

    assert words in one_line(caught.value) and NAME in str(caught.value)
    assert kms.requests == ["decrypt"]  # no use in asking again


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("denied", "may not encrypt with it; grant roles/cloudkms.cryptoKeyEncrypterDecrypter"),
        ("unauthenticated", "check FERRY_GCP_CREDENTIALS"),
        ("strange", "Cloud KMS refuses"),
    ],
)
def test_a_refusal_is_one_line_and_not_asked_again(kms: KmsServer, fault: str, words: str) -> None:
    kms.faults = [fault]

    with pytest.raises(KeyUnavailable) as caught:
        new_data_key(kms.kek(), "production", "acme")

    assert words in one_line(caught.value)
    assert kms.requests == ["encrypt"]


def test_a_key_that_is_not_there_is_named(kms: KmsServer) -> None:
    with pytest.raises(KeyUnavailable) as caught:
        new_data_key(kms.kek(NAME + "x"), "production", "acme")

    assert "there is no such key; check FERRY_KEK" in one_line(caught.value)


def test_a_server_that_is_not_there_is_one_line(kms: KmsServer) -> None:
    kek = kms.kek()
    kms._server.stop(None).wait()

    with pytest.raises(KeyUnavailable) as caught:
        new_data_key(kek, "production", "acme")

    one_line(caught.value)


@pytest.mark.parametrize("name", ["", "tenants", NAME + "/cryptoKeyVersions/1", NAME + "\n", "../" + NAME])
def test_a_name_that_is_no_keys_is_refused(kms: KmsServer, name: str) -> None:
    with pytest.raises(KeyUnavailable, match="no version"):
        CloudKms(name, kms.client())


def test_a_new_version_wraps_and_the_old_one_still_opens(kms: KmsServer) -> None:
    kek, bound = kms.kek(), data_key_bound("production", "acme")
    old = new_data_key(kek, "production", "acme")
    kms.rotate()

    new = wrap_again(kek, old, bound)

    assert (old.kid[-1], new.kid[-1], kek.current()[-1]) == ("1", "2", "2")
    assert opened(kek, old).keyed_hash("x") == opened(kek, new).keyed_hash("x")
    kms.keys[NAME][0].state = "DESTROYED"
    assert opened(kek, new)


def test_a_former_key_opens_until_everything_is_wrapped_by_the_present_one(kms: KmsServer) -> None:
    former = new_data_key(kms.kek(OTHER), "production", "acme")
    keychain = Keychain(kms.kek(), [kms.kek(OTHER)])

    again = wrap_again(keychain, former, data_key_bound("production", "acme"))

    assert keychain.present.opens(again.kid) and not kms.kek(OTHER).opens(again.kid)
    assert opened(kms.kek(), again).keyed_hash("x") == open_data_key(
        keychain, former, "production", "acme"
    ).keyed_hash("x")


def test_a_ledger_whose_key_is_destroyed_is_loud_and_coded(kms: KmsServer, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    tenants(url, kms.kek())
    kms.keys[NAME][0].state = "DESTROYED"

    with pytest.raises(CodedFailure) as caught:
        guarded(lambda: opened_ledger(connect(url), kms.kek(), "acme"))

    assert caught.value.code == "key_destroyed"
    one_line(caught.value)
