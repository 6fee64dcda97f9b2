"""Two tenants in one process, their things swapped all the time: nobody opens what is another's."""

import base64
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from flows.ledger.database import connect
from flows.settings import Settings
from flows.vault import Seal, SealBroken, Wrapped, open_data_key
from flows.vault.configured import key_encryption_key
from tests.flows.vault.kms import KmsServer
from tests.flows.vault.ledgers import ENVIRONMENT, opened, stored

OPERATIONS, THREADS = 10_000, 8
TENANTS = ("acme", "birch")
SYSTEMS = ("hubspot", "healthie")


@dataclass
class Shared:
    """What both tenants' threads share, as one process of a worker does, and what an attacker swaps."""

    seals: dict[str, Seal]
    wrapped: dict[str, Wrapped]
    unwrap: Callable[[Wrapped, str], Seal]
    sealed: dict[str, bytes] = field(default_factory=dict[str, bytes])  # rows of the ledger, by place
    blocks: dict[str, str] = field(default_factory=dict[str, str])  # blocks, by name
    turn: threading.Lock = field(default_factory=threading.Lock)
    tally: Counter[str] = field(default_factory=Counter[str])

    def note(self, outcome: str) -> None:
        with self.turn:
            self.tally[outcome] += 1


def word(tenant: str, system: str, draw: random.Random) -> bytes:
    return f"{tenant}|{system}|{draw.random()}".encode()


def judge(shared: Shared, tenant: str, system: str, open_it: Callable[[], bytes]) -> None:
    """Opened by its own, refused, or the one thing that must not be."""
    try:
        text = open_it().decode()
    except SealBroken:
        shared.note("refused")
        return
    shared.note("own" if text.startswith(f"{tenant}|{system}|") else f"CROSSED: {text} opened as {tenant}")


def write(shared: Shared, tenant: str, system: str, draw: random.Random) -> None:
    seal = shared.seals[tenant]
    shared.sealed[f"{tenant}/{system}"] = seal.seal(word(tenant, system, draw), system)
    envelope = seal.envelope(word(tenant, system, draw), system=system, purpose="connection")
    shared.blocks[f"ferry-{tenant}-{system}"] = base64.b64encode(envelope).decode()
    shared.note("written")


def swap(shared: Shared, _tenant: str, _system: str, draw: random.Random) -> None:
    for things in (shared.sealed, shared.blocks, shared.wrapped):
        one, other = draw.sample(sorted(things), 2)
        with shared.turn:
            things[one], things[other] = things[other], things[one]  # type: ignore[index]
    shared.note("swapped")


def read_row(shared: Shared, tenant: str, system: str, _: random.Random) -> None:
    sealed = shared.sealed[f"{tenant}/{system}"]
    judge(shared, tenant, system, lambda: shared.seals[tenant].open(sealed, system))


def read_block(shared: Shared, tenant: str, system: str, _: random.Random) -> None:
    envelope = base64.b64decode(shared.blocks[f"ferry-{tenant}-{system}"])
    judge(
        shared,
        tenant,
        system,
        lambda: shared.seals[tenant].open_envelope(envelope, system=system, purpose="connection"),
    )


def unwrap_key(shared: Shared, tenant: str, system: str, _: random.Random) -> None:
    """A run starts: it opens its tenant's data key from the row that stands under its name now."""
    wrapped, own = shared.wrapped[tenant], shared.seals[tenant].keyed_hash("whose?")

    def opened_key() -> bytes:
        whose = tenant if shared.unwrap(wrapped, tenant).keyed_hash("whose?") == own else "another tenant"
        return f"{whose}|{system}|".encode()

    judge(shared, tenant, system, opened_key)


ACTS = (write, swap, read_row, read_block, read_block, read_row, unwrap_key)


def interleave(shared: Shared, operations: int) -> Counter[str]:
    draw = random.Random(3)
    for tenant in TENANTS:
        for system in SYSTEMS:
            write(shared, tenant, system, draw)
    shared.tally.clear()
    start = threading.Barrier(THREADS)

    def work(number: int) -> None:
        mine = random.Random(number)
        start.wait(30)
        for _ in range(operations // THREADS):
            mine.choice(ACTS)(shared, mine.choice(TENANTS), mine.choice(SYSTEMS), mine)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, number) for number in range(THREADS)]:
            done.result()
    return shared.tally


def check(tally: Counter[str], operations: int) -> None:
    assert sum(tally.values()) == operations
    assert [outcome for outcome in tally if outcome.startswith("CROSSED")] == []
    for outcome in ("own", "refused", "swapped", "written"):
        assert tally[outcome] > operations / 25, tally  # the attack took place, and ordinary work too


def test_10000_operations_of_two_tenants_and_nothing_crosses(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    keychain = key_encryption_key(Settings(home=tmp_path, env=ENVIRONMENT))
    both = {tenant: opened(connect(url), keychain, tenant) for tenant in TENANTS}
    shared = Shared(
        {tenant: ledger.seal for tenant, ledger in both.items()},
        stored(url),
        lambda wrapped, tenant: open_data_key(keychain, wrapped, ENVIRONMENT, tenant),
    )

    check(interleave(shared, OPERATIONS), OPERATIONS)
    for ledger in both.values():
        ledger.close()


def test_the_same_with_one_cloud_kms_client_shared_by_all_threads(tmp_path: Path, kms: KmsServer) -> None:
    url, kek = f"sqlite:///{tmp_path / 'ledger.db'}", kms.kek()
    both = {tenant: opened(connect(url), kek, tenant) for tenant in TENANTS}
    shared = Shared(
        {tenant: ledger.seal for tenant, ledger in both.items()},
        stored(url),
        lambda wrapped, tenant: open_data_key(kek, wrapped, ENVIRONMENT, tenant),
    )

    check(interleave(shared, 2_000), 2_000)
    for ledger in both.values():
        ledger.close()
