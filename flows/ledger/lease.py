"""The lease: one run of one integration at a time, with a token that rises with each holder.

Who was paused for long and wakes up holds an old token; the ledger refuses its writes (store.fence).
"""

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from flows.errors import Spoken
from flows.ledger import stages
from flows.ledger.database import database_clock
from flows.ledger.store import LeaseLost, Ledger
from flows.ledger.tables import LEASE
from flows.naming import told

AGAIN = 1.0  # seconds between two looks at a lease that somebody holds


class LeaseHeld(Spoken):
    """Another run of this integration is going. Nothing was done."""


def take(ledger: Ledger, run: str, patience: float = 0.0) -> None:
    """Make `run` the holder, if nobody else is: then the ledger's writes are allowed to it.

    The lease of a process of this machine that no longer lives is taken over at once; any other one
    when it has run out.

    Raises:
        LeaseHeld: another run is going, and still was after `patience` seconds.
        StageOver: the stage was ended since it was opened; whoever held the lease then is fenced out.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return _take(ledger, run)
        except LeaseHeld:
            if time.monotonic() >= until:
                raise
            time.sleep(AGAIN)


def _take(ledger: Ledger, run: str) -> None:
    holder = _this_process()
    _ensure_row(ledger)
    with ledger.engine.begin() as connection:
        _lock_row(connection, ledger.integration)
        stages.require(ledger, connection)  # its end is seen here, or fences this holder out
        row = connection.execute(sa.select(LEASE).where(LEASE.c.integration == ledger.integration)).one()
        clock = database_clock(connection)
        if row.expires > clock and not is_dead(row.holder):
            raise LeaseHeld(
                f"{told(*ledger.of)}: run {row.run} is already going ({_place(row.holder)}); "
                f"nothing was done. Wait for it, or look with: ferry status"
            )
        taken = connection.execute(
            sa.update(LEASE)
            .where(LEASE.c.integration == ledger.integration, LEASE.c.epoch == row.epoch)
            .values(
                epoch=row.epoch + 1,
                holder=holder,
                run=run,
                flow_run=ledger.flow_run,
                expires=clock + ledger.lease_seconds,
            )
        )
        if taken.rowcount != 1:
            raise LeaseHeld(f"{told(*ledger.of)}: another run started at this moment; nothing was done")
        ledger.epoch, ledger.run = row.epoch + 1, run


def give_back(ledger: Ledger) -> None:
    """Let the next run start at once. Does nothing if another run took over.

    A database that is away meanwhile keeps the lease: it runs out, or its holder is seen to be dead.
    """
    with suppress(OperationalError), ledger.engine.begin() as connection:
        connection.execute(
            sa.update(LEASE)
            .where(LEASE.c.integration == ledger.integration, LEASE.c.epoch == ledger.epoch)
            .values(expires=0.0)
        )


def epoch(connection: Connection, integration: int) -> int:
    """The epoch of the lease's latest holder; 0 if nobody ever held it."""
    query = sa.select(LEASE.c.epoch).where(LEASE.c.integration == integration)
    return connection.execute(query).scalar_one_or_none() or 0


class Heartbeat:
    """Renews the lease while a run reads or asks a model for longer than the lease lasts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="ferry-lease", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._ledger.lease_seconds / 4):
            # Whoever lost the lease learns it at the next write; a busy database is tried again.
            with suppress(LeaseLost, OperationalError), self._ledger.engine.begin() as connection:
                self._ledger.fence(connection)


def _ensure_row(ledger: Ledger) -> None:
    """The integration's row of the lease, whoever inserts it first."""
    row = {"integration": ledger.integration, "epoch": 0, "holder": "", "run": None, "expires": 0.0}
    with ledger.reading() as connection:
        if connection.execute(
            sa.select(LEASE.c.epoch).where(LEASE.c.integration == ledger.integration)
        ).first():
            return
    with suppress(IntegrityError), ledger.engine.begin() as connection:
        connection.execute(LEASE.insert().values(row))


def _lock_row(connection: Connection, integration: int) -> None:
    """The transaction's first statement is a write: two takers come one after the other."""
    connection.execute(sa.update(LEASE).where(LEASE.c.integration == integration).values(epoch=LEASE.c.epoch))


def _this_process() -> str:
    return f"{_here()}|{os.getpid()}|{started(os.getpid())}"


def _place(holder: str) -> str:
    place, pid, _ = holder.rsplit("|", 2)
    host = place.partition("|")[0]
    return f"process {pid} on {host}"


def is_dead(holder: str) -> bool:
    """Whether the holder surely no longer lives. Of a process in another place nothing is known."""
    if not holder:
        return True
    place, pid, began = holder.rsplit("|", 2)
    return place == _here() and started(int(pid)) != began


def _here() -> str:
    """Where process numbers mean the same processes: this machine since its start, this container."""
    boot, numbers = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    started_at = boot.read_text().strip() if boot.exists() else ""
    return f"{socket.gethostname()}|{started_at}|{numbers.readlink() if numbers.is_symlink() else ''}"


def started(pid: int) -> str:
    """When a process began, as the kernel counts: a number that was given again is told apart."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _alive(pid)
    fields = stat.rsplit(")", 1)[1].split()
    return "gone" if fields[0] in "ZX" else fields[19]


def _alive(pid: int) -> str:
    """The same question where there is no /proc."""
    if Path("/proc/self").exists():
        return "gone"
    try:
        os.kill(pid, 0)
    except OSError:
        return "gone"
    return "alive"
