"""Which key wraps is the settings' word alone."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_gcp import GcpCredentials

from flows.settings import Settings
from flows.vault import KeyFile, KeyUnavailable, SealBroken, Wrapped
from flows.vault.cloudkms import CloudKms
from flows.vault.configured import key_encryption_key
from flows.vault.credentials import kms_client
from tests.flows.vault.kms import NAME, OTHER

ACCOUNT = "ferry-run@ferry-test.iam.gserviceaccount.com"


def service_account() -> dict[str, str]:
    """An invented one, with a key that no one knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "ferry-test",
        "private_key": pem.decode(),
        "client_email": ACCOUNT,
        "token_uri": "http://127.0.0.1:9/token",
    }


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a Google account of its own."""
    path = tmp_path / "account.json"
    path.write_text(json.dumps(service_account()))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


def test_without_a_name_the_key_file_wraps_as_ever(tmp_path: Path) -> None:
    keychain = key_encryption_key(Settings(home=tmp_path))

    assert keychain.current() == KeyFile(tmp_path / "keys" / "ferry.key").kid


def test_former_keys_open_and_never_wrap(tmp_path: Path) -> None:
    former = KeyFile(tmp_path / "former.key")
    old = former.wrap(b"k" * 32, b"bound")
    settings = Settings(home=tmp_path, kek_retired=f" {tmp_path / 'former.key'} ,")

    keychain = key_encryption_key(settings)

    assert keychain.unwrap(old, b"bound") == b"k" * 32
    assert keychain.wrap(b"k" * 32, b"bound").kid == keychain.current() != former.kid
    with pytest.raises(SealBroken, match="FERRY_KEK_RETIRED"):
        key_encryption_key(Settings(home=tmp_path)).unwrap(old, b"bound")


def test_a_kid_that_is_not_configured_is_refused_whatever_it_names(tmp_path: Path) -> None:
    stranger = KeyFile(tmp_path / "strangers.key").wrap(b"k" * 32, b"bound")
    keychain = key_encryption_key(Settings(home=tmp_path))

    for kid in (stranger.kid, str(tmp_path / "strangers.key"), f"gcp-kms:{OTHER}/cryptoKeyVersions/1", ""):
        with pytest.raises(SealBroken):
            keychain.unwrap(Wrapped(kid, stranger.content), b"bound")
    with pytest.raises(SealBroken):
        keychain.unwrap(Wrapped(keychain.current(), stranger.content), b"bound")


@pytest.mark.usefixtures("machine")
def test_a_cloud_kms_name_gives_that_key_and_former_ones(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kek=f"gcp-kms:{NAME}", kek_retired=f"gcp-kms:{OTHER}")

    keychain = key_encryption_key(settings)

    assert isinstance(keychain.present, CloudKms) and keychain.present.name == NAME
    assert keychain.opens(f"gcp-kms:{OTHER}/cryptoKeyVersions/3")
    assert not (tmp_path / "keys").exists()  # no key file is made beside it


@pytest.mark.parametrize("kek", ["gcp-kms:", "aws-kms:x", NAME, "gcp-kms:" + NAME + "/cryptoKeyVersions/1"])
@pytest.mark.usefixtures("machine")
def test_another_word_is_refused_in_one_line(tmp_path: Path, kek: str) -> None:
    with pytest.raises(KeyUnavailable, match="FERRY_KEK") as caught:
        key_encryption_key(Settings(home=tmp_path, kek=kek))
    assert "\n" not in str(caught.value)


def test_a_block_of_prefect_gives_the_credentials(prefect: Mapping[str, str]) -> None:
    with temporary_settings({PREFECT_API_URL: prefect["PREFECT_API_URL"]}):
        GcpCredentials(service_account_info=service_account()).save("ferry-test-kms", _sync=True)

        client = kms_client("ferry-test-kms")
        with pytest.raises(KeyUnavailable, match="no GcpCredentials block not-there") as caught:
            kms_client("not-there")

    assert client.transport._credentials.service_account_email == ACCOUNT
    assert caught.value.__context__ is None


def test_a_block_without_a_prefect_that_answers_is_one_line() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/api"
    for address, words in ((None, "set it"), (url, "look at it in Prefect")):
        with temporary_settings({PREFECT_API_URL: address}), pytest.raises(KeyUnavailable, match=words):
            kms_client("ferry-test-kms")
