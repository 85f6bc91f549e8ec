"""Alembic's environment: runs one service's history on the connection that `doudi migrate` hands over."""

from alembic import context

config = context.config
schema = config.attributes["service"]

context.configure(
    connection=config.attributes["connection"],
    version_table_schema=schema,
    # Only the schema at hand is anybody's business here.
    include_name=lambda name, kind, _: kind != "schema" or name == schema,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
