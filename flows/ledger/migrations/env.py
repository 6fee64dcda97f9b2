"""Alembic's entry: migrations run on the connection that the ledger hands over."""

from alembic import context

from flows.ledger.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
