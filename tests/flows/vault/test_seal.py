import base64
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.vault import KeyFile, Seal, SealBroken, associated_data, new_data_key, open_data_key

KEY = bytes(range(32))


def seal_of(tenant: str = "acme", environment: str = "test", key: bytes = KEY) -> Seal:
    return Seal(key, environment=environment, tenant=tenant)


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens_and_two_seals_differ(plaintext: bytes) -> None:
    seal = seal_of()

    once, again = seal.seal(plaintext, "plan"), seal.seal(plaintext, "plan")

    assert seal.open(once, "plan") == seal.open(again, "plan") == plaintext
    assert once != again
    assert len(plaintext) < 4 or plaintext not in once


@pytest.mark.parametrize(
    "other",
    [seal_of("other"), seal_of(environment="production"), seal_of(key=bytes(32))],
    ids=["tenant", "environment", "key"],
)
def test_another_context_does_not_open(other: Seal) -> None:
    sealed = seal_of().seal(b"ana", "plan")

    with pytest.raises(SealBroken):
        other.open(sealed, "plan")


def test_another_purpose_does_not_open() -> None:
    with pytest.raises(SealBroken):
        seal_of().open(seal_of().seal(b"ana", "plan"), "before")


def test_any_flipped_bit_is_noticed() -> None:
    sealed = seal_of().seal(b"ana", "plan")

    for at in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(SealBroken):
            seal_of().open(bytes(changed), "plan")


@given(st.lists(st.text(), min_size=4, max_size=4), st.lists(st.text(), min_size=4, max_size=4))
def test_associated_data_is_injective(one: list[str], other: list[str]) -> None:
    def bound(parts: list[str]) -> bytes:
        return associated_data(parts[0], parts[1], system=parts[2], purpose=parts[3])

    assert (bound(one) == bound(other)) == (one == other)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_keyed_hashes_are_injective_over_their_parts(one: list[str], other: list[str]) -> None:
    seal = seal_of()

    assert (seal.keyed_hash(*one) == seal.keyed_hash(*other)) == (one == other)


def test_keyed_hashes_need_the_key() -> None:
    assert seal_of().keyed_hash("ana") != seal_of(key=bytes(32)).keyed_hash("ana")


def test_a_data_key_opens_for_its_tenant_alone(tmp_path: Path) -> None:
    kek = KeyFile(tmp_path / "ferry.key")
    wrapped = new_data_key(kek, "test", "acme")

    assert open_data_key(kek, wrapped, "test", "acme").keyed_hash("x")
    for environment, tenant in (("test", "other"), ("production", "acme")):
        with pytest.raises(SealBroken):
            open_data_key(kek, wrapped, environment, tenant)


def test_the_key_file_is_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ferry.key"
    first = KeyFile(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyFile(path).kid == first.kid
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ferry.key"
    KeyFile(path)
    path.chmod(0o644)

    with pytest.raises(SealBroken, match="chmod 600"):
        KeyFile(path)


def test_a_key_of_the_wrong_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ferry.key"
    path.write_bytes(base64.b64encode(b"short"))
    path.chmod(0o600)

    with pytest.raises(SealBroken, match="32 bytes"):
        KeyFile(path)


def test_a_seal_shows_nothing_and_is_never_pickled() -> None:
    assert repr(seal_of()) == "Seal(…)"
    with pytest.raises(TypeError):
        pickle.dumps(seal_of())
