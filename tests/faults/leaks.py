"""The scanner for leaks: finds words, in the encodings in which words get lost, wherever bytes are kept."""

import base64
import binascii
import codecs
import json
import re
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORT = 6  # characters; shorter words are found by chance
DEEP = 3  # members in members
LARGEST = 20_000_000  # bytes of an unpacked member
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_PACKED_TEXT = re.compile(
    rb"(?:H4sI|eJ|eN|eA|eF|gA)[A-Za-z0-9+/_-]{12,}={0,2}"
)  # gzip, zlib, pickle in base64
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, order=True)
class Hit:
    """A word where it must not be."""

    place: str
    encoding: str
    word: str


class Scanner:
    """Looks for words. A word of digits alone counts plain only if it stands for itself."""

    def __init__(self, words: Collection[str]) -> None:
        self.words = sorted({word for word in words if len(word) >= SHORT})
        assert self.words
        self._numbers = {word.encode(): word for word in self.words if word.isdigit()}
        self._alone = re.compile(
            rb"(?<![0-9A-Za-z])(?:" + b"|".join(self._numbers or [b"(?!)"]) + rb")(?![0-9A-Za-z])"
        )
        self._folded: dict[bytes, tuple[str, str]] = {}
        self._exact: dict[bytes, tuple[str, str]] = {}
        for word in self.words:
            for encoding, needle in _folded(word):
                self._folded.setdefault(needle.lower(), (encoding, word))
            for case in {word, word.lower(), word.upper()}:
                for encoding, needle in _base64(case):
                    self._exact.setdefault(needle, (encoding, word))

    def hits(self, place: str, content: bytes | str, depth: int = DEEP) -> set[Hit]:
        """Every word found, with the encoding it was found in."""
        raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
        folded = raw.lower()
        found = {Hit(place, "plain", self._numbers[one[0]]) for one in self._alone.finditer(raw)}
        found |= {Hit(place, *named) for needle, named in self._folded.items() if needle in folded}
        found |= {Hit(place, *named) for needle, named in self._exact.items() if needle in raw}
        if depth:
            for packing, member in unpacked(raw):
                found |= self.hits(f"{place} ({packing})", member, depth - 1)
        return found

    def in_folder(self, folder: Path, exempt: Collection[Path] = ()) -> set[Hit]:
        """Names and contents of all files below a folder; of SQLite files every column, too."""
        found: set[Hit] = set()
        for path in sorted(folder.rglob("*")):
            place = str(path.relative_to(folder))
            found |= self.hits(f"name of {place}", place)
            if path.is_file() and path not in exempt:
                found |= self.hits(place, path.read_bytes())
                found |= self._in_database(path, place)
        return found

    def _in_database(self, path: Path, place: str) -> set[Hit]:
        """Values as they are: in the file a long one lies in pieces."""
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                return set()
        found: set[Hit] = set()
        for column, values in columns(path):
            found |= self.hits(f"{place}: {column}", b"\x00".join(values))
        return found


def columns(path: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Every column of every table of a SQLite file: ("flow_run.name", its values)."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            name = table.decode()
            rows = connection.execute(f'SELECT * FROM "{name}"')
            named = [each[0] for each in rows.description]
            values: list[list[bytes]] = [[] for _ in named]
            for row in rows:
                for at, value in enumerate(row):
                    if value is not None:
                        values[at].append(value if isinstance(value, bytes) else str(value).encode())
            yield from ((f"{name}.{column}", values[at]) for at, column in enumerate(named))
    finally:
        connection.close()


def unpacked(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Members that were packed with gzip or zlib, also behind base64; pickles behind base64."""
    for start in _PACKED.finditer(raw):
        gzip = start[0].startswith(b"\x1f")
        opener = zlib.decompressobj(wbits=31 if gzip else 15)
        try:
            member = opener.decompress(raw[start.start() :], LARGEST)
        except zlib.error:
            continue
        if member:
            yield "gzip" if gzip else "zlib", member
    for text in _PACKED_TEXT.finditer(raw):
        sound = text[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        try:
            yield "base64", base64.b64decode(sound + b"=" * (-len(sound) % 4))
        except binascii.Error:
            continue


def _folded(word: str) -> Iterator[tuple[str, bytes]]:
    """Encodings in which upper and lower case are found alike."""
    raw = word.encode()
    if not word.isdigit():
        yield "plain", raw
        yield "reversed", word[::-1].encode()
        yield "rot13", codecs.encode(word, "rot13").encode()
    for encoded in {quote(word, safe=""), quote_plus(word), quote(word)} - {word}:
        yield "url", encoded.encode()
    yield "url", "".join(f"%{byte:02x}" for byte in raw).encode()
    for case in {word, word.lower(), word.upper()}:
        yield "hex", case.encode().hex().encode()
        yield "json", "".join(f"\\u{ord(letter):04x}" for letter in case).encode()
    if json.dumps(word)[1:-1] != word:
        yield "json", json.dumps(word)[1:-1].encode()
    yield "utf-16", word.encode("utf-16-le")
    yield "utf-16", word.encode("utf-16-be")


def _base64(word: str) -> Iterator[tuple[str, bytes]]:
    """What base64 makes of a word wherever it stands: at each of three alignments, and for URLs."""
    for before in range(3):
        encoded = base64.b64encode(b"\x00" * before + word.encode())
        settled = encoded[(before * 8 + 5) // 6 : (before + len(word.encode())) * 8 // 6]
        yield "base64", settled
        yield "base64", settled.translate(bytes.maketrans(b"+/", b"-_"))
