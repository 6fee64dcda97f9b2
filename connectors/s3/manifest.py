"""The log of a dataset: numbered manifests, each of which names all parts that count from then on.

A manifest is put under the next free number, and only if nobody took it: that put is the commit. Whoever
loses the race reads what the winner wrote, and decides again. So there is one order, and no update is lost.
"""

import json
import uuid
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from connectors.base import Settings
from connectors.bucket import Bucket
from connectors.errors import Rejected
from connectors.values import ColumnType

FOLDER = "_manifests/"


class Meta(Settings):
    content_length: int


class Part(Settings):
    """One object with rows, as a COPY of Redshift's names it too."""

    url: str  # s3://bucket/key
    mandatory: Literal[True] = True
    meta: Meta
    rows: int


class Manifest(Settings):
    """The dataset at one moment: of two rows with one key, the one in the later part counts."""

    number: Annotated[int, Field(ge=0)] = 0
    commit: str = Field(default_factory=lambda: uuid.uuid4().hex)
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    key: tuple[str, ...] = ()
    columns: Mapping[str, ColumnType] = Field(default_factory=dict[str, ColumnType])
    entries: tuple[Part, ...] = ()


class Log:
    """The manifests of one dataset, below <root>_manifests/."""

    def __init__(self, system: str, bucket: Bucket, root: str) -> None:
        self._system = system
        self._bucket = bucket
        self._folder = f"{root}{FOLDER}"

    def after(self, number: int) -> Manifest | None:
        """The newest manifest, None if none came after that number. Raises as a bucket's reads do."""
        names = deque(self._bucket.names(self._folder, self._key(number) if number else ""), maxlen=1)
        if not names:
            return None
        newest = names[0]
        content = self._bucket.get(newest)
        if content is None:
            raise self._bad("went away")
        try:
            found = Manifest.model_validate_json(content)
        except ValidationError:
            found = None
        if found is None or self._key(found.number) != newest:
            raise self._bad("is none of Ferry's")
        return found

    def commit(self, manifest: Manifest) -> bool:
        """Put it; False if its number was taken. Raises as a bucket's `put` does."""
        body = json.dumps(manifest.model_dump(mode="json"), indent=1).encode()
        return self._bucket.put(self._key(manifest.number), body, "application/json")

    def _key(self, number: int) -> str:
        return f"{self._folder}{number:012d}.json"

    def _bad(self, what: str) -> Rejected:
        return Rejected(
            "bad_manifest",
            f"{self._system}: the newest manifest {what}; restore it, or move the dataset away",
        )
