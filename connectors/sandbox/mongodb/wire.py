"""MongoDB's wire protocol, the server's half: OP_MSG, and OP_QUERY for a client's first hello.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import socket
import struct
from dataclasses import dataclass
from typing import Any, TypeGuard

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError

Document = dict[str, Any]  # BSON: what a value is depends on the document

REPLY, QUERY, MESSAGE = 1, 2004, 2013  # opcodes
CHECKSUM = 1  # flag bit
MOST = 48_000_000  # bytes of one message
MOST_PARSED = 16 * 1024 * 1024 + 16 * 1024  # bytes of one of its documents

_HEADER = struct.Struct("<iiii")
_CODEC: CodecOptions[Document] = CodecOptions(document_class=dict, tz_aware=True)


def is_document(value: object) -> TypeGuard[Document]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def has_operators(value: object) -> TypeGuard[Document]:
    """Is it a condition or a change, and no value?"""
    return is_document(value) and any(name.startswith("$") for name in value)


class Malformed(Exception):
    """What came is no message of the protocol: the connection is closed, as a server does."""


@dataclass(frozen=True, slots=True)
class Request:
    """One command: its name, and its document with all sections put together."""

    id: int
    opcode: int
    body: Document

    @property
    def command(self) -> str:
        return next(iter(self.body), "")


def receive(connection: socket.socket) -> Request | None:
    """The next request; None when the client is gone. Raises Malformed."""
    head = _exactly(connection, _HEADER.size)
    if head is None:
        return None
    length, number, _, opcode = _HEADER.unpack(head)
    if not _HEADER.size < length <= MOST:
        raise Malformed
    content = _exactly(connection, length - _HEADER.size)
    if content is None:
        return None
    try:
        return Request(number, opcode, _body(opcode, content))
    except (struct.error, ValueError, BSONError):
        raise Malformed from None


def reply(request: Request, document: Document) -> bytes:
    """The bytes of the answer to a request."""
    encoded = bson.encode(document, codec_options=_CODEC)
    if request.opcode == QUERY:
        content = struct.pack("<iqii", 8, 0, 0, 1) + encoded
        return _HEADER.pack(_HEADER.size + len(content), 0, request.id, REPLY) + content
    content = struct.pack("<IB", 0, 0) + encoded
    return _HEADER.pack(_HEADER.size + len(content), 0, request.id, MESSAGE) + content


def size(document: Document) -> int:
    """How many bytes it takes as BSON."""
    return len(bson.encode(document, codec_options=_CODEC))


def _body(opcode: int, content: bytes) -> Document:
    if opcode == QUERY:
        end = content.index(b"\0", 4)
        return _decoded(content[end + 9 :])[0]
    if opcode != MESSAGE:
        raise ValueError
    flags = struct.unpack_from("<I", content)[0]
    if flags & CHECKSUM:
        content = content[:-4]
    return _sections(content, 4)


def _sections(content: bytes, at: int) -> Document:
    body: Document = {}
    lists: Document = {}
    while at < len(content):
        kind, length = struct.unpack_from("<Bi", content, at)
        section = content[at + 1 : at + 1 + length]
        if kind == 0:
            body = _decoded(section)[0]
        else:
            name, _, documents = section[4:].partition(b"\0")
            _measure(documents)
            lists[name.decode()] = _decoded(documents)
        at += 1 + length
    return body | lists


def _measure(documents: bytes) -> None:
    """Raises Malformed for one that no server parses: as an update it may be larger than what is stored."""
    at = 0
    while at < len(documents):
        length = struct.unpack_from("<i", documents, at)[0]
        if not 0 < length <= MOST_PARSED:
            raise Malformed
        at += length


def _decoded(content: bytes) -> list[Document]:
    return bson.decode_all(content, _CODEC)  # pyright: ignore[reportUnknownMemberType]  # it takes bare arrays


def _exactly(connection: socket.socket, wanted: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < wanted:
        part = connection.recv(min(wanted - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
