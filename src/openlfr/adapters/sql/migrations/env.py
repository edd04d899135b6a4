"""Entry point of Alembic: apply the migrations on the connection from `schema.migrate`."""

from alembic import context

from openlfr.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()  # in the caller's transaction: all migrations or none
