"""A proxy on loopback that cuts a connection when a word goes by, before or after the server heard it."""

import socket
import struct
import threading
from typing import Literal, Self

import sqlalchemy as sa

Moment = Literal["before", "after"]


class CuttingProxy:
    """Passes bytes on until the client says `word`; then both sides see the connection reset.

    before: the server never hears the word. after: it does, and its answer is lost.
    """

    def __init__(self, server: sa.URL) -> None:
        self._server = server
        self._word: bytes | None = None
        self._moment: Moment = "before"
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = self._through(server)
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at(self, word: bytes, moment: Moment) -> None:
        """Cut once, at the next time the client says the word."""
        self._word, self._moment = word, moment

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _through(self, server: sa.URL) -> str:
        port = self._listener.getsockname()[1]
        plain = server.difference_update_query(["host"]).set(host="127.0.0.1", port=port)
        return plain.render_as_string(hide_password=False)

    def _upstream(self) -> socket.socket:
        folder = self._server.query.get("host")
        if folder is None:
            return socket.create_connection(("127.0.0.1", self._server.port or 0))
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(f"{folder}/.s.PGSQL.5432")
        return upstream

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            upstream = self._upstream()
            self._sockets += [client, upstream]
            mute = threading.Event()
            for act in (self._to_server, self._to_client):
                threading.Thread(target=act, args=(client, upstream, mute), daemon=True).start()

    def _to_server(self, client: socket.socket, upstream: socket.socket, mute: threading.Event) -> None:
        try:
            while sent := client.recv(65536):
                if self._word is None or self._word not in sent:
                    upstream.sendall(sent)
                    continue
                self._word = None
                if self._moment == "before":
                    self._cut(client, upstream)
                    return
                mute.set()
                upstream.sendall(sent)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _to_client(self, client: socket.socket, upstream: socket.socket, mute: threading.Event) -> None:
        try:
            while answer := upstream.recv(65536):
                if mute.is_set():
                    self._cut(client, upstream)
                    return
                client.sendall(answer)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _cut(self, client: socket.socket, upstream: socket.socket) -> None:
        self.cuts += 1
        for each in (client, upstream):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            each.close()
