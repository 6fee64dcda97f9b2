"""One client's connection: PostgreSQL's protocol, changed where Redshift's differs.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import gzip
import socket
import struct
import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from connectors.sandbox.redshift import dialect

if TYPE_CHECKING:
    from connectors.sandbox.redshift import StandIn

SSL: Final = 80877103  # the request's number
VERSION: Final = 196608
NOBODY: Final = b"server_version\x008.0.2\x00"  # what Redshift says of itself
OLDEST: Final = b"server_protocol_version\x000\x00"  # rows as text, as PostgreSQL gives them
FAILED_LOAD: Final = "Load into table failed. Check 'stl_load_errors' system table for details."
NO_ACCESS: Final = "S3ServiceException:Access Denied,Status 403"


class Relay:
    """Passes on what a client and the PostgreSQL behind say."""

    def __init__(self, stand_in: "StandIn", client: socket.socket, upstream: socket.socket) -> None:
        self._stand_in = stand_in
        self._client, self._upstream = client, upstream
        self._copying = False
        self._greeted = False

    def serve(self) -> None:
        """Until one of both ends."""
        try:
            if self._let_in():
                threading.Thread(target=self._answers, daemon=True).start()
                while True:
                    kind, body = _message(self._client)
                    self._upstream.sendall(_made(kind, self._asked(kind, body)))
        except (OSError, EOFError):
            pass  # the other side went away
        finally:
            self._end()

    def _end(self) -> None:
        """Also for the thread that waits for the other side, and for the transaction that is open there."""
        for each in (self._client, self._upstream):
            with suppress(OSError):  # it has ended already
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _let_in(self) -> bool:
        start = _start(self._client)
        if struct.unpack("!i", start[:4])[0] == SSL:
            self._client.sendall(b"N")
            start = _start(self._client)
        words = start[4:].split(b"\x00")
        given = dict(zip(words[::2], words[1::2], strict=False))
        self._client.sendall(_made(b"R", struct.pack("!i", 3)))  # the password, please
        _, password = _message(self._client)
        allowed = self._stand_in.allowed
        named = (given.get(b"user", b"").decode(), password.rstrip(b"\x00").decode())
        if named != (allowed.user, allowed.password):
            self._client.sendall(_error("28000", "password authentication failed"))
            return False
        self._upstream.connect(self._stand_in.behind.path)
        isolation = self._stand_in.isolation.replace(" ", "\\ ")
        options = {
            b"user": self._stand_in.behind.user.encode(),
            b"database": given[b"database"],
            b"client_encoding": b"utf8",
            b"options": f"-c default_transaction_isolation={isolation}".encode(),
        }
        words = [word for pair in options.items() for word in pair]
        body = struct.pack("!i", VERSION) + b"\x00".join(words) + b"\x00\x00"
        self._upstream.sendall(struct.pack("!i", len(body) + 4) + body)
        return True

    def _asked(self, kind: bytes, body: bytes) -> bytes:
        """What the client says, in PostgreSQL's words."""
        if kind == b"Q":
            return self._spelled(body.rstrip(b"\x00").decode()).encode() + b"\x00"
        if kind == b"P":
            name, statement, types = body.split(b"\x00", 2)
            return b"\x00".join((name, self._spelled(statement.decode()).encode(), types))
        return body

    def _spelled(self, statement: str) -> str:
        self._stand_in.statements.append(statement)
        self._copying = statement.startswith("COPY ")
        if dialect.refused(statement):
            return "SELECT redshift_does_not_know_this()"
        return self._copy(statement) if self._copying else dialect.spelled(statement)

    def _copy(self, statement: str) -> str:
        copied = dialect.copied(statement, self._stand_in.allowed.role)
        content = None if copied is None else self._stand_in.fetch(copied.bucket, copied.key)
        if copied is None or content is None:
            return f"DO $$ BEGIN RAISE EXCEPTION '{NO_ACCESS}' USING ERRCODE = 'XX000'; END $$"
        path = self._stand_in.behind.folder / f"{uuid.uuid4().hex}.csv"
        path.write_bytes(gzip.decompress(content))
        path.chmod(0o644)
        return copied.statement.format(path=path)

    def _answers(self) -> None:
        try:
            while True:
                kind, body = _message(self._upstream)
                if kind == b"S" and body.startswith(b"server_version\x00"):
                    body = NOBODY
                if kind == b"Z" and not self._greeted:
                    self._greeted = True
                    self._client.sendall(_made(b"S", OLDEST))
                if kind == b"E" and self._copying and b"\x00C22" in body:
                    self._client.sendall(_error("XX000", FAILED_LOAD, "ERROR"))
                else:
                    self._client.sendall(_made(kind, body))
        except (OSError, EOFError):
            self._end()


def _error(code: str, words: str, severity: str = "FATAL") -> bytes:
    return _made(b"E", f"S{severity}\x00C{code}\x00M{words}\x00\x00".encode())


def _made(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _start(place: socket.socket) -> bytes:
    return _exactly(place, struct.unpack("!i", _exactly(place, 4))[0] - 4)


def _message(place: socket.socket) -> tuple[bytes, bytes]:
    kind = _exactly(place, 1)
    return kind, _start(place)


def _exactly(place: socket.socket, number: int) -> bytes:
    found = b""
    while len(found) < number:
        more = place.recv(min(number - len(found), 1 << 20))
        if not more:
            raise EOFError
        found += more
    return found
