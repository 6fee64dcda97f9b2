"""The ledger's first form."""

import sqlalchemy as sa
from alembic import op

from flows.ledger.tables import UtcTime

revision = "0001"
down_revision = None

REFUSE = "SELECT RAISE(ABORT, 'the audit is append-only')"
TAKEN = "SELECT 1 FROM audit WHERE tenant = new.tenant AND integration = new.integration AND seq = new.seq"
APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN {REFUSE}; END",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN {REFUSE}; END",
        # INSERT OR REPLACE would delete a row without asking the trigger above
        f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS ({TAKEN}) BEGIN {REFUSE}; END",
    ),
    "postgresql": (
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    ),
}

OF_A_PLAN: dict[str, tuple[str, ...]] = {"kept": (), "shadow": ("version",)}


def upgrade() -> None:  # one statement for each table: long, and read once
    op.create_table(
        "data_key",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("kid", sa.String(length=400), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made", UtcTime(), nullable=False),
        sa.Column("wrapped_at", UtcTime(), nullable=False),
        sa.Column("destroyed", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_data_key")),
    )
    op.create_table(
        "integration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration")),
        sa.UniqueConstraint("tenant", "name", name=op.f("uq_integration_tenant_name")),
    )
    op.create_table(
        "audit_key",
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("kid", sa.String(length=400), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("environment", name=op.f("pk_audit_key")),
    )
    op.create_table(
        "audit",
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("integration", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run", sa.String(length=200), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("act", sa.String(length=200), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("chain", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "integration", "seq", name=op.f("pk_audit")),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "restoration",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("same_keys", sa.Boolean(), nullable=False),
        sa.Column("released", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_restoration_integration")),
        sa.PrimaryKeyConstraint("integration", name=op.f("pk_restoration")),
    )
    op.create_table(
        "judgement",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("asked", sa.String(length=32), nullable=False),
        sa.Column("sentence", sa.String(length=200), nullable=False),
        sa.Column("option_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("run", sa.String(length=200), nullable=False),
        sa.Column("made", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_judgement_integration")),
        sa.PrimaryKeyConstraint("integration", "asked", name=op.f("pk_judgement")),
    )
    op.create_table(
        "cursor",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("feed", sa.String(length=100), nullable=False),
        sa.Column("watermark", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_cursor_integration")),
        sa.PrimaryKeyConstraint("integration", "feed", name=op.f("pk_cursor")),
    )
    op.create_table(
        "emission",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("emit", sa.String(length=200), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("opened", UtcTime(), nullable=False),
        sa.Column("closed", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_emission_integration")),
        sa.PrimaryKeyConstraint("integration", "period", name=op.f("pk_emission")),
    )
    op.create_table(
        "spending",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("micro_usd", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_spending_integration")),
        sa.PrimaryKeyConstraint("integration", "day", name=op.f("pk_spending")),
    )
    op.create_table(
        "entry",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("patient_hash", sa.String(length=32), nullable=False),
        sa.Column("patient_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("rest", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("again_on", sa.Date(), nullable=True),
        sa.Column("seen_run", sa.String(length=200), nullable=False),
        sa.Column("seen", UtcTime(), nullable=False),
        sa.Column("decided", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_entry_integration")),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_entry")),
        sa.UniqueConstraint("integration", "patient_hash", name=op.f("uq_entry_integration_patient_hash")),
    )
    op.create_index(op.f("ix_entry_integration_again_on"), "entry", ["integration", "again_on"], unique=False)
    op.create_index(op.f("ix_entry_integration_state"), "entry", ["integration", "state"], unique=False)
    op.create_table(
        "link",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("pair", sa.String(length=200), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("there_hash", sa.String(length=32), nullable=False),
        sa.Column("there_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), server_default="", nullable=False),
        sa.Column("agreed", sa.JSON(), nullable=False),
        sa.Column("contested", sa.JSON(), nullable=False),
        sa.Column("made", UtcTime(), nullable=False),
        sa.Column("changed", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["entry.ref"], name=op.f("fk_link_entry")),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_link")),
        sa.UniqueConstraint("entry", name=op.f("uq_link_entry")),
    )
    op.create_index(
        op.f("ix_link_tenant_pair_there_hash"), "link", ["tenant", "pair", "there_hash"], unique=False
    )
    op.create_table(
        "lease",
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("run", sa.String(length=200), nullable=True),
        sa.Column("flow_run", sa.String(length=200), server_default="", nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_lease_integration")),
        sa.PrimaryKeyConstraint("integration", name=op.f("pk_lease")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("flow_run", sa.String(length=200), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), server_default="", nullable=False),
        sa.Column("started", UtcTime(), nullable=False),
        sa.Column("ended", UtcTime(), nullable=True),
        sa.Column("instructions", sa.String(length=200), nullable=False),
        sa.Column("policy", sa.String(length=200), nullable=False),
        sa.Column("shadow", sa.String(length=200), server_default="", nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_run_integration")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_integration_started"), "run", ["integration", "started"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("because", sa.String(length=200), server_default="", nullable=False),
        sa.Column("code", sa.String(length=200), server_default="", nullable=False),
        sa.Column("hash", sa.String(length=200), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("instructions", sa.String(length=200), nullable=False),
        sa.Column("policy", sa.String(length=200), nullable=False),
        sa.Column("run", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=200), server_default="program", nullable=False),
        sa.Column("model_requests", sa.Integer(), nullable=False),
        sa.Column("made", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["entry.ref"], name=op.f("fk_plan_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_entry_version"), "plan", ["entry", "version"], unique=False)
    op.create_index(op.f("ix_plan_run"), "plan", ["run"], unique=False)
    for name, columns in OF_A_PLAN.items():
        op.create_table(
            name,
            sa.Column("plan", sa.String(length=60), nullable=False),
            sa.Column("run", sa.String(length=200), nullable=False),
            *(sa.Column(column, sa.String(length=200), nullable=False) for column in columns),
            sa.Column("sealed", sa.LargeBinary(), nullable=False),
            sa.ForeignKeyConstraint(["plan"], ["plan.id"], name=op.f(f"fk_{name}_plan")),
            sa.PrimaryKeyConstraint("plan", name=op.f(f"pk_{name}")),
        )
        op.create_index(op.f(f"ix_{name}_run"), name, ["run"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("integration", sa.Integer(), nullable=False),
        sa.Column("plan", sa.String(length=60), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=200), nullable=False),
        sa.Column("delivery_class", sa.String(length=200), nullable=False),
        sa.Column("because", sa.String(length=200), server_default="", nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("content", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=200), nullable=False),
        sa.Column("planned", UtcTime(), nullable=False),
        sa.Column("first_sent", UtcTime(), nullable=True),
        sa.Column("sent", UtcTime(), nullable=True),
        sa.Column("settled", UtcTime(), nullable=True),
        sa.Column("released", UtcTime(), nullable=True),
        sa.Column("before_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reference_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("period", sa.String(length=7), nullable=True),
        sa.Column("left_out", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["entry"], ["entry.ref"], name=op.f("fk_delivery_entry")),
        sa.ForeignKeyConstraint(["integration"], ["integration.id"], name=op.f("fk_delivery_integration")),
        sa.ForeignKeyConstraint(["plan"], ["plan.id"], name=op.f("fk_delivery_plan")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_entry_version"), "delivery", ["entry", "version"], unique=False)
    op.create_index(
        op.f("ix_delivery_integration_state_operation_key"),
        "delivery",
        ["integration", "state", "operation", "key"],
        unique=False,
    )
    op.create_index(op.f("ix_delivery_run_state"), "delivery", ["run", "state"], unique=False)
