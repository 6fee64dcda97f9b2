"""Who may do what: access tokens of service accounts, with whom the file is shared, and the quotas."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import JsonValue

from connectors.sandbox.sheets.state import Refusal

ACCOUNT: Final = "ferry@stand-in.iam.gserviceaccount.com"
MINUTE: Final = 60.0
EDIT: Final = ("owner", "organizer", "fileOrganizer", "writer")
SCOPES: Final = "https://www.googleapis.com/auth/"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file() -> str:
    """The service account's key file, as the console gives it. The key is this process's own."""
    pem = _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "stand-in",
            "private_key_id": "1",
            "private_key": pem,
            "client_email": ACCOUNT,
            "token_uri": "http://169.254.169.254/token",  # not to be believed
        }
    )


@dataclass
class Office:
    """The accounts' side of one stand-in.

    people: the file's permissions. quota: reads, and writes, of one minute; None: no limit.
    """

    people: list[dict[str, JsonValue]] = field(
        default_factory=lambda: [
            {"id": "1", "type": "user", "role": "owner", "emailAddress": "ana@example.com"},
            {"id": "2", "type": "user", "role": "writer", "emailAddress": ACCOUNT},
        ]
    )
    quota: int | None = None
    web: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])  # is the last revision published?
    enabled: bool = True  # are the APIs switched on in the project?
    clock: Callable[[], float] = time.monotonic
    _tokens: dict[str, str] = field(default_factory=dict[str, str])  # token -> its scopes
    _revoked: bool = False
    _counted: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, form: bytes) -> tuple[int, dict[str, JsonValue]]:
        """An access token for a signed assertion."""
        assertion = parse_qs(form.decode()).get("assertion", [""])[0]
        head, _, signature = assertion.rpartition(".")
        try:
            _key().public_key().verify(_decoded(signature), head.encode(), padding.PKCS1v15(), SHA256())
            claims = json.loads(_decoded(head.partition(".")[2]))
        except (InvalidSignature, ValueError):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        if self._revoked:
            return 400, {"error": "invalid_grant", "error_description": f"Account not found: {ACCOUNT}"}
        made = secrets.token_urlsafe(16)
        self._tokens[made] = claims["scope"]
        return 200, {"access_token": made, "expires_in": 3600, "token_type": "Bearer"}

    def revoke(self) -> None:
        """The account's key is taken away."""
        self._revoked = True
        self._tokens.clear()

    def admit(
        self, authorization: str, kind: Literal["read", "write", "drive"], *, reads: bool = False
    ) -> None:
        """Raises Refusal unless this may be done with that token, now. reads: by GET, which needs less."""
        scopes = self._tokens.get(authorization.removeprefix("Bearer "))
        if scopes is None:
            raise Refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if not self.enabled:
            text = "Google Sheets API has not been used in project 1 before or it is disabled."
            raise Refusal(403, "PERMISSION_DENIED", text, "SERVICE_DISABLED")
        enough = {"drive.metadata.readonly"} if kind == "drive" else {"spreadsheets"}
        if kind == "read" and reads:
            enough |= {"spreadsheets.readonly"}
        if not enough & {scope.removeprefix(SCOPES) for scope in scopes.split()}:
            text = "Request had insufficient authentication scopes."
            raise Refusal(403, "PERMISSION_DENIED", text, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
        if self.role is None:
            raise Refusal(
                404 if kind == "drive" else 403, "PERMISSION_DENIED", "The caller does not have permission"
            )
        if kind == "write" and self.role not in EDIT:
            raise Refusal(403, "PERMISSION_DENIED", "The caller does not have permission")
        if kind != "drive":
            self._count(kind)

    @property
    def role(self) -> str | None:
        """What the service account may do with the file."""
        roles = (str(each["role"]) for each in self.people if each.get("emailAddress") == ACCOUNT)
        return next(roles, None)

    def _count(self, kind: str) -> None:
        window = (kind, int(self.clock() // MINUTE))
        with self._lock:
            self._counted[window] = self._counted.get(window, 0) + 1
            over = self.quota is not None and self._counted[window] > self.quota
        if over:
            word = "Read" if kind == "read" else "Write"
            text = f"Quota exceeded for quota metric '{word} requests per minute per user'"
            raise Refusal(429, "RESOURCE_EXHAUSTED", text, "RATE_LIMIT_EXCEEDED")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
