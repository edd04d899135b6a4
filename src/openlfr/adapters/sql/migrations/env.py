"""Run by Alembic: applies the migrations on the connection that `schema.migrate` hands over."""

from alembic import context

from openlfr.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()  # inside the caller's transaction: all of them or none
