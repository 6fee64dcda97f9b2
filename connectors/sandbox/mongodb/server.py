"""A MongoDB server that a driver takes for the primary of a replica set. On loopback, in memory.

with StandIn() as server:
    Mongo(MongoCredentials(url=SecretStr(server.url)), tables)
"""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Mapping
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Any, Self, cast

from bson.errors import BSONError

from connectors.sandbox.mongodb import failing, wire
from connectors.sandbox.mongodb.commands import Commands
from connectors.sandbox.mongodb.failing import FailPoint
from connectors.sandbox.mongodb.login import Login
from connectors.sandbox.mongodb.refusals import Refusal
from connectors.sandbox.mongodb.state import State
from connectors.sandbox.mongodb.wire import Document, Malformed, Request

DATABASE = "practice"


class Server(ThreadingTCPServer):
    """Listens on 127.0.0.1. `commands` counts what arrived, by name.

    Args:
        users: name → password; with them nobody gets in without.
        tls: with it the server speaks TLS alone.
        actions: what a user may do: find, insert, update, …
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        port: int = 0,
        users: Mapping[str, str] | None = None,
        actions: tuple[str, ...] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tls = tls
        self.state = State(users=users or {}, actions=actions)
        self.fail_point = FailPoint()
        self.commands = Counter[str]()
        super().__init__(("127.0.0.1", port), Conversation)
        self.state.address = f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""

    def wrong_with(self, request: Request) -> Document | None:
        with self.state.lock:
            self.commands[request.command] += 1
            return self.fail_point.due(request.command)


class Conversation(BaseRequestHandler):
    """One connection of a client."""

    def handle(self) -> None:
        server = cast(Server, self.server)
        connection = cast(socket.socket, self.request)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with server.tls.wrap_socket(connection, server_side=True) if server.tls else connection as plain:
                self._converse(server, plain)
        except (Malformed, OSError):
            return

    @staticmethod
    def _converse(server: Server, connection: socket.socket) -> None:
        commands = Commands(server.state, Login(server.state.users), server.fail_point)
        while (request := wire.receive(connection)) is not None:
            answer = _answered(server, commands, request)
            if answer is None:
                return
            connection.sendall(wire.reply(request, answer))


def _answered(server: Server, commands: Commands, request: Request) -> Document | None:
    """The answer; None if the connection is to be closed instead."""
    wrong = server.wrong_with(request)
    try:
        act = failing.meet(wrong, request.body) if wrong else "go on"
        if act == "close":
            return None
        if wrong and "writeErrors" in wrong:
            return {"n": 0, "nModified": 0, "writeErrors": wrong["writeErrors"], "ok": 1.0}
        answer = commands.run(request)
    except Refusal as refusal:
        return refusal.answer()
    except (BSONError, KeyError, TypeError, OverflowError):
        return Refusal(9, "the command is not understood").answer()
    if wrong and "writeConcernError" in wrong:
        answer["writeConcernError"] = wrong["writeConcernError"]
    return None if act == "close after" else answer


class StandIn:
    """A server in a thread of this process. Use it as a context manager."""

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        actions: tuple[str, ...] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.server = Server(users=users, actions=actions, tls=tls)
        self.address = self.server.state.address
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """How it is reached, as its first user."""
        for name, password in self.server.state.users.items():
            return f"mongodb://{name}:{password}@{self.address}/{DATABASE}?authSource=admin"
        return f"mongodb://{self.address}/{DATABASE}"

    @property
    def commands(self) -> Counter[str]:
        """How many commands arrived, by name."""
        return self.server.commands

    def documents(self, collection: str) -> list[Document]:
        """What it holds, in the order of its coming."""
        with self.server.state.lock:
            return [*self.server.state.collection(DATABASE, collection).find({})]

    def fail(self, *commands: str, times: int | None = 1, skip: int = 0, **data: Any) -> None:
        """What goes wrong with the next of these commands, as `failCommand` says it."""
        mode = {"skip": skip} if times is None else {"times": times, "skip": skip}
        with self.server.state.lock:
            self.server.fail_point.configure({"mode": mode, "data": {"failCommands": commands, **data}})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
