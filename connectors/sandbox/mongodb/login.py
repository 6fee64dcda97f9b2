"""SCRAM-SHA-256, the server's half (RFC 7677): nobody's password crosses the wire."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from connectors.sandbox.mongodb.refusals import Refusal
from connectors.sandbox.mongodb.wire import Document

ROUNDS = 4096  # a client refuses fewer


WHERE = "admin"  # the database that knows the users


class Login:
    """One connection's way in. `user` is who it is, once proven."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        self._first = self._nonce = self._name = ""
        self._salt = b""
        self.user: str | None = None

    def start(self, payload: bytes, database: str) -> Document:
        """The answer to saslStart in this database."""
        self._first = payload.decode().split(",", 2)[2]
        said = dict(part.split("=", 1) for part in self._first.split(","))
        self._name = said["n"].replace("=2C", ",").replace("=3D", "=") if database == WHERE else ""
        self._nonce = said["r"] + secrets.token_urlsafe(18)
        self._salt = secrets.token_bytes(28)
        return self._answer(self._challenge().encode(), done=False)

    def proceed(self, payload: bytes) -> Document:
        """The answer to saslContinue. Raises Refusal for a wrong proof."""
        final = payload.decode()
        without, _, proof = final.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac(
            "sha256", self._users.get(self._name, secrets.token_hex(8)).encode(), self._salt, ROUNDS
        )
        signed = f"{self._first},{self._challenge()},{without}".encode()
        client = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client).digest(), signed, "sha256")
        expected = bytes(one ^ other for one, other in zip(client, signature, strict=True))
        if not hmac.compare_digest(base64.b64decode(proof), expected) or f"r={self._nonce}" not in without:
            raise Refusal(18, f"Authentication failed for {self._name}.")
        self.user = self._name
        verifier = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return self._answer(b"v=" + base64.b64encode(verifier), done=True)

    def _challenge(self) -> str:
        return f"r={self._nonce},s={base64.b64encode(self._salt).decode()},i={ROUNDS}"

    @staticmethod
    def _answer(payload: bytes, *, done: bool) -> Document:
        return {"conversationId": 1, "done": done, "payload": payload, "ok": 1.0}
