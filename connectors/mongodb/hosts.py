"""Which servers may be spoken to: those that the url names, and those that DNS or a server leads to."""

import threading
from collections.abc import Iterable

from connectors.address import Reach, endpoint, is_local
from connectors.errors import Denied, Transient
from connectors.mongodb.place import address_of

Host = tuple[str, int | None]


class Hosts:
    """What is asked before each command, of the hosts that are known then. Safe to use from several threads.

    Where servers lead is known after the first command, which names no patient.

    local: the server is one of this machine, spoken to without TLS: it leads nowhere else.
    """

    def __init__(self, *, local: bool) -> None:
        self._local = local
        self._reaches: dict[Host, Reach] = {}
        self._lock = threading.Lock()

    def sure(self, hosts: Iterable[Host]) -> None:
        """Raises Denied for a host inside, Transient if no host's name is known now."""
        known, lost = 0, None
        for host in hosts:
            try:
                self._reach(host).sure()
                known += 1
            except Transient as error:  # a set goes on without one of its members
                lost = error
        if lost is not None and not known:
            raise lost

    def _reach(self, host: Host) -> Reach:
        with self._lock:
            if host not in self._reaches:
                self._reaches[host] = self._made(address_of(*host))
            return self._reaches[host]

    def _made(self, address: str) -> Reach:
        try:
            sound = is_local(endpoint(address)) == self._local
        except ValueError:
            sound = False
        if not sound:
            message = "mongodb: a server names a host that is not public; correct the set's configuration"
            raise Denied("private_address", message)
        return Reach("mongodb", address)
