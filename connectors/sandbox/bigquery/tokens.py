"""The stand-in's service account: its key, and the tokens that are given for it."""

import base64
import json
import secrets
import threading
import time
from functools import cache
from typing import Any, cast
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ACCOUNT = "ferry@stand-in.iam.gserviceaccount.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE = 3600  # seconds
ONLY_READS = "https://www.googleapis.com/auth/cloud-platform.read-only"


@cache
def _key() -> rsa.RSAPrivateKey:
    """One for the process: to make it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(token_uri: str) -> str:
    """The key's file, as the console would give it, with tokens from there."""
    private = _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "stand-in",
        "private_key_id": "1",
        "private_key": private.decode(),
        "client_email": ACCOUNT,
        "client_id": "1",
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }
    return json.dumps(account)


class Tokens:
    """The tokens that are valid now."""

    def __init__(self) -> None:
        self._valid: dict[str, str] = {}  # with what each is for
        self._lock = threading.Lock()

    def grant(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The token endpoint's answer."""
        form = parse_qs(body.decode())
        asked = form.get("assertion", [""])[0]
        if form.get("grant_type") != [GRANT] or not _is_signed(asked):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        token = f"ya29.{secrets.token_urlsafe(24)}"
        with self._lock:
            self._valid[token] = str(json.loads(_decoded(asked.split(".")[1]))["scope"])
        return 200, {"access_token": token, "expires_in": LIFE - 1, "token_type": "Bearer"}

    def knows(self, authorization: str) -> bool:
        with self._lock:
            return authorization.removeprefix("Bearer ") in self._valid

    def only_reads(self, authorization: str) -> bool:
        """Is it a token with which nothing can be changed?"""
        with self._lock:
            return self._valid.get(authorization.removeprefix("Bearer ")) == ONLY_READS

    def revoke(self) -> None:
        """Every token is refused from now on."""
        with self._lock:
            self._valid.clear()


def _is_signed(assertion: str) -> bool:
    try:
        head, body, signature = (_decoded(part) for part in assertion.split("."))
        claims = cast(dict[str, Any], json.loads(body))
        signed = assertion.rpartition(".")[0].encode()
        _key().public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return False
    fresh = int(claims["exp"]) > time.time()
    return json.loads(head)["alg"] == "RS256" and claims["iss"] == ACCOUNT and "scope" in claims and fresh


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
