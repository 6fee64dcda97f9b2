"""The ledger's tables. Clear columns hold pseudonyms, codes, counts, keyed hashes and times only."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware moment, kept in UTC on databases with and without time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _time(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, UtcTime(), nullable=nullable)


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(200), nullable=nullable, server_default=default)


INTEGRATION = sa.Table(
    "integration",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("tenant"),
    _text("name"),
    sa.UniqueConstraint("tenant", "name"),
)

DATA_KEY = sa.Table(
    "data_key",
    METADATA,
    sa.Column("tenant", sa.String(200), primary_key=True),
    sa.Column("kid", sa.String(400), nullable=False),  # which key wrapped it; a Cloud KMS name is long
    sa.Column("wrapped", sa.LargeBinary, nullable=False),  # empty once the tenant is forgotten
    _time("made", nullable=False),
    _time("wrapped_at", nullable=False),
    _time("destroyed"),
)

LEASE = sa.Table(
    "lease",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),  # rises with each holder; the fencing token
    _text("holder"),
    _text("run", nullable=True),
    _text("flow_run", default=""),  # Prefect's id of the holder, if Prefect runs it
    sa.Column("expires", sa.Float[float](), nullable=False),  # seconds since 1970 by the database's clock
)

CURSOR = sa.Table(
    "cursor",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("feed", sa.String(100), primary_key=True),
    _time("watermark", nullable=False),
)

RUN = sa.Table(
    "run",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    _text("flow_run", default=""),  # Prefect's id of the same execution
    _text("kind"),  # changes, sweep, resync, retry
    _text("state"),  # running, complete, incomplete, failed
    _text("code", default=""),
    _time("started", nullable=False),
    _time("ended"),
    _text("instructions"),  # hashes
    _text("policy"),
    _text("shadow", default=""),  # the version that decided beside it, as a hash
    sa.Column("fields", sa.JSON, nullable=False),  # the names of what was read of an entry
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Index(None, "integration", "started"),
)

ENTRY = sa.Table(
    "entry",
    METADATA,
    sa.Column("ref", sa.String(40), primary_key=True),  # the pseudonym
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), nullable=False),
    sa.Column("patient_hash", sa.String(32), nullable=False),
    sa.Column("patient_sealed", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.String(32), nullable=False),
    sa.Column("rest", sa.String(32)),  # of a pair's: the fingerprint without what goes both ways
    sa.Column("version", sa.Integer, nullable=False),
    _text("state"),  # planned, skipped, review, quarantined, absent
    _text("code", default=""),
    sa.Column("attempts", sa.Integer, nullable=False),  # decisions that failed since the last good one
    sa.Column("again_on", sa.Date),
    _text("seen_run"),
    _time("seen", nullable=False),
    _time("decided"),
    sa.UniqueConstraint("integration", "patient_hash"),
    sa.Index(None, "integration", "state"),
    sa.Index(None, "integration", "again_on"),
)

PLAN = sa.Table(
    "plan",
    METADATA,
    sa.Column("id", sa.String(60), primary_key=True),  # <entry ref>.<version>
    sa.Column("entry", sa.String(40), sa.ForeignKey("entry.ref"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    _text("kind"),  # write, skip, review, refused
    _text("because", default=""),
    _text("code", default=""),
    _text("hash"),  # keyed hash of the plan's canonical form
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.String(32), nullable=False),
    _text("instructions"),
    _text("policy"),
    _text("run"),
    _text("by", default="program"),  # who decided: program, or a model's id
    sa.Column("model_requests", sa.Integer, nullable=False),
    _time("made", nullable=False),
    sa.Index(None, "entry", "version"),
    sa.Index(None, "run"),
)

KEPT = sa.Table(  # what a plan was decided on, for as long as the integration says
    "kept",
    METADATA,
    sa.Column("plan", sa.String(60), sa.ForeignKey("plan.id"), primary_key=True),
    _text("run"),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index(None, "run"),
)

SHADOW = sa.Table(  # where the version beside the live one decided otherwise
    "shadow",
    METADATA,
    sa.Column("plan", sa.String(60), sa.ForeignKey("plan.id"), primary_key=True),
    _text("run"),
    _text("version"),  # a hash
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the differences
    sa.Index(None, "run"),
)

DELIVERY = sa.Table(
    "delivery",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),  # the idempotency key
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), nullable=False),
    sa.Column("plan", sa.String(60), sa.ForeignKey("plan.id"), nullable=False),
    sa.Column("entry", sa.String(40), sa.ForeignKey("entry.ref"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    _text("operation"),
    _text("delivery_class"),
    _text("because", default=""),
    sa.Column("record", sa.String(32), nullable=False),  # keyed hash of the record it touches
    sa.Column("content", sa.String(32), nullable=False),  # keyed hash of the record and all that is written
    _text("state"),  # planned, sent, done, rejected, unknown, held, superseded
    _text("code", default=""),
    sa.Column("attempts", sa.Integer, nullable=False),
    _text("run"),
    _time("planned", nullable=False),
    _time("first_sent"),  # see attempts.py
    _time("sent"),
    _time("settled"),
    _time("released"),  # a person let it go: the breaker does not look at it again
    sa.Column("before_sealed", sa.LargeBinary),  # the pre-image
    sa.Column("reference_sealed", sa.LargeBinary),  # the target's id of the record
    sa.Column("period", sa.String(7)),  # the month it belongs to, such as 2026-11; see ledger/emission.py
    sa.Column("left_out", sa.JSON),  # names of arguments that were not sent: see flows/weigh.py
    sa.Index(None, "integration", "state", "operation", "key"),
    sa.Index(None, "entry", "version"),
    sa.Index(None, "run", "state"),
    sa.Index(None, "run", "entry"),  # a run is looked at entry by entry
)

LINK = sa.Table(  # of a pair of integrations: which entry of the one is which entry of the other
    "link",
    METADATA,
    sa.Column("ref", sa.String(40), primary_key=True),
    _text("tenant"),
    _text("pair"),
    sa.Column("entry", sa.String(40), sa.ForeignKey("entry.ref"), nullable=False),  # the keeper's
    sa.Column("there_hash", sa.String(32), nullable=False),  # keyed hash of the reader's id
    sa.Column("there_sealed", sa.LargeBinary, nullable=False),
    _text("state"),  # learned, confirmed, review
    _text("code", default=""),
    sa.Column("agreed", sa.JSON, nullable=False),  # by field: keyed hashes of what both sides held last
    sa.Column("contested", sa.JSON, nullable=False),  # by field: who is to say, since both sides edited it
    _time("made", nullable=False),
    _time("changed", nullable=False),
    sa.UniqueConstraint("entry"),
    sa.Index(None, "tenant", "pair", "there_hash"),
)

JUDGEMENT = sa.Table(
    "judgement",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("asked", sa.String(32), primary_key=True),  # keyed hash of all that the answer depends on
    _text("sentence"),
    sa.Column("option_sealed", sa.LargeBinary, nullable=False),
    _text("run"),
    _time("made", nullable=False),
)

AUDIT_KEY = sa.Table(
    "audit_key",
    METADATA,
    sa.Column("environment", sa.String(200), primary_key=True),
    sa.Column("kid", sa.String(400), nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)

EMISSION = sa.Table(
    "emission",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("period", sa.String(7), primary_key=True),
    _text("emit"),  # first-week-of-month, last-week-of-month
    sa.Column("begins", sa.Date, nullable=False),  # the first day of its week
    _time("opened", nullable=False),
    _time("closed"),
)

SPENDING = sa.Table(  # what asking models cost, by the practice's days
    "spending",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),  # in and out
    sa.Column("micro_usd", sa.BigInteger, nullable=False),  # millionths of a dollar
)

AUDIT = sa.Table(  # it points at no other table: it stays when an integration or a tenant is removed
    "audit",
    METADATA,
    sa.Column("tenant", sa.String(200), primary_key=True),
    sa.Column("integration", sa.String(200), primary_key=True),  # "": what belongs to no integration
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, 3, … in its chain
    _text("run"),
    sa.Column("epoch", sa.Integer, nullable=False),
    _text("actor"),  # run <id>, person <name>
    _text("act"),
    sa.Column("count", sa.Integer, nullable=False),
    _text("subject"),  # keyed hash over what the act was about
    _time("at", nullable=False),
    _text("chain"),  # keyed hash over this event and the chain of the one before
)

RESTORATION = sa.Table(
    "restoration",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    _time("since", nullable=False),  # when a run noticed that the ledger is older than its anchor
    sa.Column("lost", sa.Integer, nullable=False),  # versions of an entry that may be missing, at most
    sa.Column("same_keys", sa.Boolean, nullable=False),  # an older copy; False: another ledger
    _time("released"),  # when a person let deliveries go again
)

OPEN_STATES = ("planned", "sent", "unknown")
"""Deliveries that are not settled: still to send, or doubtful."""
