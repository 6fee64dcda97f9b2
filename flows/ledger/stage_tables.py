"""The tables of staging. As the others: clear columns hold hashes, names and times only."""

import sqlalchemy as sa

from flows.ledger.tables import METADATA, UtcTime

STAGE = sa.Table(  # how long an integration is tried in staging; each time has a data key of its own
    "stage",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("began", UtcTime(), nullable=False),
    sa.Column("ends", UtcTime(), nullable=False),
    sa.Column("extended_by", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("destroyed", UtcTime()),
)

STAGED = sa.Table(  # what the targets would hold, were the stage's writes real
    "staged",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("record", sa.String(32), primary_key=True),  # keyed hash of the write and the record it touches
    sa.Column("operation", sa.String(200), nullable=False),
    sa.Column("delivery", sa.String(64), nullable=False),  # the last one's key; "": none yet
    sa.Column("made", sa.Boolean, nullable=False),  # by the stage: the target has no such record
    sa.Column("held_sealed", sa.LargeBinary, nullable=False),  # what it holds now
    sa.Column("changed", UtcTime(), nullable=False),
    sa.Index(None, "integration", "delivery"),
)

MARK = sa.Table(  # what a reviewer said of one planned write
    "mark",
    METADATA,
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), primary_key=True),
    sa.Column("delivery", sa.String(64), primary_key=True),
    sa.Column("verdict", sa.String(20), nullable=False),  # right, wrong
    sa.Column("remark_sealed", sa.LargeBinary, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", UtcTime(), nullable=False),
)

WORD = sa.Table(  # what a person said of an entry that waited
    "word",
    METADATA,
    sa.Column("entry", sa.String(40), sa.ForeignKey("entry.ref"), primary_key=True),
    sa.Column("integration", sa.Integer, sa.ForeignKey("integration.id"), nullable=False),
    sa.Column("fingerprint", sa.String(32), nullable=False),  # of the entry as it was looked at
    sa.Column("instructions", sa.String(200), nullable=False),  # that it waited by
    sa.Column("verdict", sa.String(20), nullable=False),  # leave, again, answer
    sa.Column("said_sealed", sa.LargeBinary, nullable=False),  # the reason, and answers by sentence
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", UtcTime(), nullable=False),
    sa.Index(None, "integration"),
)
