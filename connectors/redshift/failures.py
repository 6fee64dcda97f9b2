"""What a warehouse's error means, by its SQLSTATE. Its text quotes values and is never shown."""

from dataclasses import dataclass
from typing import Literal, cast

Kind = Literal["row", "table", "transient", "lost", "unauthorized"]


@dataclass(frozen=True, slots=True)
class Failure:
    """row: one row is refused. table: every row will be. transient: rolled back, time may help.
    lost: the connection is gone. unauthorized: the tenant must act."""

    kind: Kind
    code: str


LOST = Failure("lost", "connection_lost")
STATES = {  # or the first two characters of one
    "08": LOST,
    "0A": Failure("table", "schema_drift"),
    "22": Failure("row", "invalid_value"),
    "22001": Failure("row", "too_long"),
    "22003": Failure("row", "out_of_range"),
    "23": Failure("row", "constraint"),
    "23502": Failure("row", "not_null"),
    "25006": Failure("transient", "read_only"),
    "28": Failure("unauthorized", "unauthorized"),
    "3D": Failure("unauthorized", "no_database"),
    "3F": Failure("unauthorized", "no_schema"),
    "40": Failure("transient", "contention"),
    "42": Failure("table", "schema_drift"),
    "42501": Failure("unauthorized", "forbidden"),
    "53": Failure("transient", "overloaded"),
    "53100": Failure("transient", "disk_full"),
    "54": Failure("row", "too_long"),
    "55": Failure("transient", "locked"),
    "57": LOST,
    "57014": Failure("transient", "timed_out"),
    "58": Failure("lost", "server_failed"),
}
WORDS = (  # Redshift's own failures come as XX000, and only their words tell them apart
    ("1023", Failure("transient", "contention")),
    ("erializable isolation violation", Failure("transient", "contention")),
    ("load_error", Failure("row", "invalid_value")),
    ("Access Denied", Failure("unauthorized", "copy_role")),
    ("not authorized to assume", Failure("unauthorized", "copy_role")),
    ("InvalidAccessKeyId", Failure("unauthorized", "copy_role")),
    ("SlowDown", Failure("transient", "overloaded")),
)


class StatementFailed(Exception):
    """One statement failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def failure_of(error: BaseException) -> Failure:
    """What the error means. Without a SQLSTATE the connection is taken for lost."""
    said = cast(object, error.args[0]) if error.args else None
    if not isinstance(said, dict):
        return LOST
    fields = cast(dict[str, str], said)
    state, text = fields.get("C", ""), fields.get("M", "")
    known = STATES.get(state) or STATES.get(state[:2])
    if known is not None:
        return known
    for word, failure in WORDS:
        if word in text:
            return failure
    return Failure("transient", "server_failed")  # it answered, so the transaction is over
