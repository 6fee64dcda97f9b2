"""Where a worker deployment leaves bytes: Prefect's database, block documents, environments of processes."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from cryptography.fernet import Fernet

from tests.faults.leaks import Hit, Scanner
from tests.worker.processes import below, environment_of, said_to

TEXTS = (dict, list)
FERNET = b"gAAAA"  # how Prefect's encrypted values begin, in base64


def in_database(scanner: Scanner, url: str) -> set[Hit]:
    """Every column of every table, whatever the database; what is in encrypted block documents, too."""
    found = in_columns(scanner, url)
    for name, content in block_documents(url).items():
        found |= scanner.hits(f"block {name}", content)
    return found


def in_columns(scanner: Scanner, url: str) -> set[Hit]:
    """Every column of every table, as it is stored."""
    found: set[Hit] = set()
    for place, values in columns(url):
        found |= scanner.hits(place, b"\x00".join(values))
    return found


def columns(url: str) -> Iterator[tuple[str, list[bytes]]]:
    """("flow_run.name", its values)."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            values: dict[str, list[bytes]] = {}
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"')).mappings():
                for name, value in row.items():
                    if value is not None:
                        values.setdefault(str(name), []).append(_bytes(value))
            yield from ((f"{table}.{name}", of) for name, of in values.items())
    engine.dispose()


def block_documents(url: str) -> Mapping[str, bytes]:
    """Block documents by name, opened with the key that lies beside them: what a thief would do."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        query = sa.text("SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'")
        kept = connection.execute(query).scalar_one_or_none()
        rows = connection.execute(sa.text("SELECT name, data FROM block_document")).all()
    engine.dispose()
    if not rows:
        return {}
    key = json.loads(kept) if isinstance(kept, str | bytes) else kept
    cipher = Fernet(str(key["fernet_key"]).encode())
    return {str(name): _opened(cipher, _bytes(data)) for name, data in rows}


def _opened(cipher: Fernet, stored: bytes) -> bytes:
    text = stored.strip().strip(b'"')
    return cipher.decrypt(text) if text.startswith(FERNET) else stored


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, TEXTS) else str(value)
    return text.encode(errors="surrogatepass")


@dataclass
class Seen:
    """Command lines and environments of the processes below one, as far as they were met."""

    argv: set[bytes] = field(default_factory=set[bytes])
    environment: set[bytes] = field(default_factory=set[bytes])  # NAME=value


@contextmanager
def watching(root: int) -> Iterator[Seen]:
    """Look at every process below `root`, again and again, while this lasts."""
    seen, stop = Seen(), threading.Event()

    def look() -> None:
        while not stop.wait(0.3):
            for pid in [root, *below(root)]:
                seen.argv.add(said_to(pid))
                seen.environment.update(environment_of(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
