"""Staging: how long each integration is tried, and what its targets would hold."""

import sqlalchemy as sa
from alembic import op

from flows.ledger.tables import UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "stage",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began", UtcTime(), nullable=False),
        sa.Column("ends", UtcTime(), nullable=False),
        sa.Column("extended_by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("destroyed", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_stage_integration")),
        sa.PrimaryKeyConstraint("integration", "number", name=op.f("pk_stage")),
    )
    op.create_table(
        "staged",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("operation", sa.String(length=200), nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("held_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_staged_integration")),
        sa.PrimaryKeyConstraint("integration", "record", name=op.f("pk_staged")),
    )
    op.create_index(op.f("ix_staged_integration_delivery"), "staged", ["integration", "delivery"])
    op.create_table(
        "mark",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("remark_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_mark_integration")),
        sa.PrimaryKeyConstraint("integration", "delivery", name=op.f("pk_mark")),
    )
    op.create_index(op.f("ix_delivery_run_entry"), "delivery", ["run", "entry"])
    op.create_table(
        "word",
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("instructions", sa.String(length=200), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["entry.ref"], name=op.f("fk_word_entry")),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_word_integration")),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_word")),
    )
    op.create_index(op.f("ix_word_integration"), "word", ["integration"])
