"""Whatever is changed in a sealed value, or whatever it is opened as: it does not open."""

import copy
import json
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import pytest

from flows.vault import (
    KeyFile,
    Seal,
    SealBroken,
    Wrapped,
    associated_data,
    new_data_key,
    open_data_key,
)

KEY = os.urandom(32)
TIMES = 300
SECRET = b"hk_live_ana_0155"


def seal_of(tenant: str = "acme", environment: str = "production") -> Seal:
    return Seal(KEY, environment=environment, tenant=tenant)


def flipped(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for at in draw.sample(range(len(content) * 8), draw.choice([1, 1, 1, 2, 9])):
        changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def made(kek: KeyFile) -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """Each kind of sealed thing, and how it is opened."""
    seal = seal_of()
    wrapped = new_data_key(kek, "production", "acme")

    def unwrap(content: bytes) -> Seal:
        return open_data_key(kek, Wrapped(wrapped.kid, content), "production", "acme")

    return {
        "sealed": (seal.seal(SECRET, "plan"), lambda content: seal.open(content, "plan")),
        "envelope": (
            seal.envelope(SECRET, system="hubspot", purpose="connection"),
            lambda content: seal.open_envelope(content, system="hubspot", purpose="connection"),
        ),
        "data key": (wrapped.content, unwrap),
    }


@pytest.mark.parametrize("kind", ["sealed", "envelope", "data key"])
def test_of_300_random_bit_flips_none_opens(tmp_path: Path, kind: str) -> None:
    content, open_it = made(KeyFile(tmp_path / "ferry.key"))[kind]
    assert open_it(content)  # positive control
    draw, opened = random.Random(300), 0

    for _ in range(TIMES):
        try:
            open_it(flipped(content, draw))
            opened += 1
        except SealBroken:
            pass

    assert opened == 0


@pytest.mark.parametrize("kind", ["sealed", "envelope", "data key"])
def test_cut_lengthened_and_spliced_does_not_open(tmp_path: Path, kind: str) -> None:
    kek = KeyFile(tmp_path / "ferry.key")
    content, open_it = made(kek)[kind]
    other, _ = made(kek)[kind]
    spliced = {content[:at] + other[at:] for at in range(1, len(content))} - {content, other}

    for changed in [content[:at] for at in range(len(content))] + [content + b"\0", *spliced]:
        with pytest.raises(SealBroken):
            open_it(changed)


def context(draw: random.Random) -> tuple[str, str, str, str]:
    """(environment, tenant, system, purpose) out of few and similar words, so that many almost agree."""
    words = ["acme", "acme-west", "acm", "e", "production", "staging", "", 'a","b', "ledger", "connection"]
    first, second, third, fourth = (draw.choice(words) for _ in range(4))
    return first, second, third, fourth


def test_of_300_swapped_contexts_none_opens(tmp_path: Path) -> None:
    draw, opened, tried = random.Random(301), 0, 0
    kek = KeyFile(tmp_path / "ferry.key")
    while tried < TIMES:
        mine, theirs = context(draw), context(draw)
        if mine == theirs:
            continue
        tried += 1
        seals = [Seal(KEY, environment=one[0], tenant=one[1]) for one in (mine, theirs)]
        envelope = seals[0].envelope(SECRET, system=mine[2], purpose=mine[3])
        assert seals[0].open_envelope(envelope, system=mine[2], purpose=mine[3]) == SECRET
        bound, other = (
            associated_data(one[0], one[1], system=one[2], purpose=one[3]) for one in (mine, theirs)
        )
        wrapped = kek.wrap(KEY, bound)
        for open_it in (
            lambda: seals[1].open_envelope(envelope, system=theirs[2], purpose=theirs[3]),  # noqa: B023
            lambda: kek.unwrap(wrapped, other),  # noqa: B023
        ):
            try:
                open_it()
                opened += 1
            except SealBroken:
                pass

    assert opened == 0


@pytest.mark.parametrize(
    ("seal", "system", "purpose"),
    [
        (seal_of("other"), "hubspot", "connection"),
        (seal_of(environment="staging"), "hubspot", "connection"),
        (seal_of(), "healthie", "connection"),
        (seal_of(), "hubspot", "plan"),
    ],
    ids=["tenant", "environment", "system", "purpose"],
)
def test_an_envelope_opens_in_its_own_context_alone(seal: Seal, system: str, purpose: str) -> None:
    envelope = seal_of().envelope(SECRET, system="hubspot", purpose="connection")

    with pytest.raises(SealBroken) as caught:
        seal.open_envelope(envelope, system=system, purpose=purpose)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_one_kind_of_sealed_thing_is_never_another(tmp_path: Path) -> None:
    things = made(KeyFile(tmp_path / "ferry.key"))

    for kind, (content, _) in things.items():
        for other, (_, open_it) in things.items():
            if kind != other:
                with pytest.raises(SealBroken):
                    open_it(content)


def test_the_inner_key_of_an_envelope_is_not_that_of_another() -> None:
    """The two layers are bound together by their context and not by luck: halves of two do not fit."""
    one, two = (seal_of().envelope(SECRET, system="hubspot", purpose="connection") for _ in range(2))

    with pytest.raises(SealBroken):
        seal_of().open_envelope(one[:61] + two[61:], system="hubspot", purpose="connection")


@pytest.mark.parametrize("pickler", [pickle.dumps, cloudpickle.dumps, copy.deepcopy, copy.copy])
def test_keys_never_leave_their_process(tmp_path: Path, pickler: Callable[[object], object]) -> None:
    for holder in (seal_of(), KeyFile(tmp_path / "ferry.key")):
        with pytest.raises(TypeError, match="never pickled"):
            pickler(holder)


def test_keys_show_nothing_of_themselves(tmp_path: Path) -> None:
    path = tmp_path / "ferry.key"
    kek = KeyFile(path)

    for holder in (seal_of(), kek):
        for text in (repr(holder), str(holder), f"{holder}", f"{holder!r:>99}"):
            assert KEY.hex() not in text and path.read_text() not in text and len(text.strip()) < 40
        with pytest.raises(TypeError):
            json.dumps(holder)
