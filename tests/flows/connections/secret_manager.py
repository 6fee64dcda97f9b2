"""A Google Secret Manager of our own on loopback: AccessSecretVersion over TLS, as Google describes it.

Google's own client comes to it by its real name: gRPC is told of a proxy that leads there, and of the
certificate authority that signed for the name. The client's signed tokens are checked.
"""

import base64
import json
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.cloud.secretmanager_v1.types import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    SecretPayload,
)

HOST = "secretmanager.googleapis.com"
PROJECT = "ferry-test"
ACCOUNT = f"ferry@{PROJECT}.iam.gserviceaccount.com"


class SecretManager:
    """`secrets` by name; `refused` names those that the account may not read."""

    def __init__(self, folder: Path) -> None:
        self.secrets: dict[str, bytes] = {}
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._authority = folder / "authority.pem"
        own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key, certificate = _pem(own), _certificate(own)
        self._authority.write_bytes(certificate)
        self._server = grpc.server(ThreadPoolExecutor(4))
        handler = grpc.unary_unary_rpc_method_handler(
            self._access,
            request_deserializer=AccessSecretVersionRequest.deserialize,
            response_serializer=AccessSecretVersionResponse.serialize,
        )
        service = "google.cloud.secretmanager.v1.SecretManagerService"
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {"AccessSecretVersion": handler}),)
        )
        tls = grpc.ssl_server_credentials([(key, certificate)])
        self._port = self._server.add_secure_port("127.0.0.1:0", tls)
        self._server.start()
        self._proxy = Proxy(self._port)

    @property
    def environment(self) -> Mapping[str, str]:
        """What leads gRPC here."""
        return {
            "grpc_proxy": f"http://127.0.0.1:{self._proxy.port}",
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(self._authority),
        }

    @property
    def account(self) -> dict[str, str]:
        """The key file of the one service account that may read."""
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "k1",
            "private_key": _pem(self._key).decode(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": "http://127.0.0.1:9/token",
        }

    def stop(self) -> None:
        self._proxy.stop()
        self._server.stop(None).wait()

    def _access(self, request: AccessSecretVersionRequest, context: Any) -> AccessSecretVersionResponse:
        self.asked.append(request.name)
        if not self._knows(dict(context.invocation_metadata()).get("authorization", "")):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials.")
        name = request.name.removeprefix(f"projects/{PROJECT}/secrets/").removesuffix("/versions/latest")
        if name in self.refused:
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED, "Permission 'secretmanager.versions.access' denied"
            )
        if name not in self.secrets:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Secret [{request.name}] not found or has no versions.")
        version = request.name.replace("latest", "1")
        return AccessSecretVersionResponse(name=version, payload=SecretPayload(data=self.secrets[name]))

    def _knows(self, authorization: str) -> bool:
        """Whether the token was signed by the account's key, for this use."""
        signed, _, signature = authorization.removeprefix("Bearer ").rpartition(".")
        claims = json.loads(_decoded(signed.split(".")[1]))
        with suppress(Exception):
            self._key.public_key().verify(
                _decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            return bool(claims["iss"] == ACCOUNT)
        return False


class Proxy:
    """Answers CONNECT for Secret Manager's name, and leads to a port of this machine."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            if not head.startswith(f"CONNECT {HOST}:443 ".encode()):
                return
            with socket.create_connection(("127.0.0.1", self._to)) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client))
                back.start()
                _pump(client, server)
                back.join()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while part := one.recv(65536):
            other.sendall(part)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)
