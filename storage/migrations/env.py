"""Alembic's entry: runs on the connection that `storage.migrate` hands over, in its transaction."""

from alembic import context
from sqlmodel import SQLModel

from storage import tables

assert tables.NOUNS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
