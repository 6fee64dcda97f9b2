"""A Cloud KMS of our own on loopback: Encrypt and Decrypt of one key, as Google describes them.

It checks checksums and associated data, keeps versions that can be rotated, disabled and destroyed, and
misbehaves as it is told. Google's own client talks to it over a channel without TLS.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud.kms_v1 import KeyManagementServiceClient
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport
from google.cloud.kms_v1.types import DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse

from flows.vault.cloudkms import CloudKms, Patience

NAME = "projects/ferry-test/locations/us-east4/keyRings/ferry/cryptoKeys/tenants"
OTHER = NAME.replace("tenants", "others")
QUICK = Patience(one=0.5, all=2.0, pause=0.01)
crc = google_crc32c.value


@dataclass
class Version:
    key: bytes = field(default_factory=lambda: os.urandom(32))
    state: str = "ENABLED"


class KmsServer:
    """`faults` are used up one by one, a request each; "" is none."""

    def __init__(self) -> None:
        self.keys = {NAME: [Version()], OTHER: [Version()]}
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.meanwhile: dict[bytes, Callable[[], object]] = {}  # what happens, once, while this is wrapped
        self._released = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(8))
        methods = {
            "Encrypt": _method(self._encrypt, EncryptRequest, EncryptResponse),
            "Decrypt": _method(self._decrypt, DecryptRequest, DecryptResponse),
        }
        service = "google.cloud.kms.v1.KeyManagementService"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")

    def client(self) -> KeyManagementServiceClient:
        return KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=self._channel))

    def kek(self, name: str = NAME, patience: Patience = QUICK) -> CloudKms:
        return CloudKms(name, self.client(), patience)

    def rotate(self, name: str = NAME) -> None:
        """A new version, which is the primary from now on."""
        self.keys[name].append(Version())

    def stop(self) -> None:
        self._released.set()
        self._channel.close()
        self._server.stop(None).wait()

    def _encrypt(self, request: EncryptRequest, context: Any) -> EncryptResponse:
        fault = self._begin("encrypt", request.name, context)
        aad = request.additional_authenticated_data
        for bound in [one for one in self.meanwhile if one in aad]:
            self.meanwhile.pop(bound)()
        _sums(context, fault, (request.plaintext, request.plaintext_crc32c))
        _sums(context, fault, (aad, request.additional_authenticated_data_crc32c))
        number = len(self.keys[request.name])
        nonce = os.urandom(12)
        sealed = AESGCM(self._usable(request.name, number, context).key).encrypt(
            nonce, request.plaintext, aad
        )
        whole = number.to_bytes(4, "big") + nonce + sealed
        name = OTHER if fault == "another key" else request.name
        return EncryptResponse(
            name=f"{name}/cryptoKeyVersions/{number}",
            ciphertext=_damaged(whole) if fault == "damage" else whole,
            ciphertext_crc32c=crc(whole),
            verified_plaintext_crc32c=fault != "not verified",
            verified_additional_authenticated_data_crc32c=True,
        )

    def _decrypt(self, request: DecryptRequest, context: Any) -> DecryptResponse:
        fault = self._begin("decrypt", request.name, context)
        aad, whole = request.additional_authenticated_data, request.ciphertext
        _sums(context, fault, (whole, request.ciphertext_crc32c))
        _sums(context, fault, (aad, request.additional_authenticated_data_crc32c))
        number = int.from_bytes(whole[:4], "big")
        wrong = "Decryption failed: verify that 'name' refers to the correct CryptoKey."
        if not 0 < number <= len(self.keys[request.name]):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, wrong)
        cipher = AESGCM(self._usable(request.name, number, context).key)
        try:
            plaintext = cipher.decrypt(whole[4:16], whole[16:], aad)
        except InvalidTag:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, wrong)
        told = _damaged(plaintext) if fault == "damage" else plaintext
        return DecryptResponse(plaintext=told, plaintext_crc32c=crc(plaintext))

    def _begin(self, act: str, name: str, context: Any) -> str:
        self.requests.append(act)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "hang":
            self._released.wait(30)
        if fault in REFUSALS:
            context.abort(*REFUSALS[fault])
        if name not in self.keys:
            context.abort(grpc.StatusCode.NOT_FOUND, f"CryptoKey {name} not found. secret-word")
        return fault

    def _usable(self, name: str, number: int, context: Any) -> Version:
        version = self.keys[name][number - 1]
        if version.state != "ENABLED":
            words = f"{name}/cryptoKeyVersions/{number} is not enabled, current state is: {version.state}."
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, words + " secret-word")
        return version


REFUSALS = {
    "unavailable": (grpc.StatusCode.UNAVAILABLE, "try again. secret-word"),
    "quota": (grpc.StatusCode.RESOURCE_EXHAUSTED, "quota. secret-word"),
    "denied": (grpc.StatusCode.PERMISSION_DENIED, "Permission 'useToDecrypt' denied. secret-word"),
    "unauthenticated": (grpc.StatusCode.UNAUTHENTICATED, "bad token. secret-word"),
    "strange": (grpc.StatusCode.FAILED_PRECONDITION, "the purpose is ASYMMETRIC_SIGN. secret-word"),
}


def _damaged(content: bytes) -> bytes:
    """One bit of it is another: always, whatever it was."""
    return content[:-1] + bytes([content[-1] ^ 1])


def _sums(context: Any, fault: str, told: tuple[bytes, int]) -> None:
    """Google refuses what does not fit its checksum; what carries none it would take, ours must carry one."""
    content, checksum = told
    if fault == "damaged on its way" or crc(content) != checksum:
        context.abort(
            grpc.StatusCode.INVALID_ARGUMENT, "The checksum in field plaintext_crc32c did not match the data"
        )


def _method(act: Callable[[Any, Any], Any], request: Any, answer: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(act, request.deserialize, answer.serialize)


@contextmanager
def kms_server() -> Iterator[KmsServer]:
    server = KmsServer()
    try:
        yield server
    finally:
        server.stop()


__all__ = ["NAME", "OTHER", "QUICK", "KmsServer", "kms_server"]
