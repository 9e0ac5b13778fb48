"""Index old bodies, waiting customers and doubtful sends; let profile jobs say whom to ask about.

Some databases of the first schema have the indexes already.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_job = sa.table("job", sa.column("id"), sa.column("kind"), sa.column("payload"))
_identity = sa.table("identity", *(sa.column(name) for name in ("id", "channel", "account_id", "user_id")))


_INDEXES = (
    ("ix_inbox_body", "inbox", "id", "body IS NOT NULL"),
    ("ix_conversation_waiting", "conversation", "waiting_since", "waiting_since IS NOT NULL"),
    ("ix_outbox_in_doubt", "outbox", "identity_id", "state IN ('sending', 'unknown')"),
)


def upgrade() -> None:
    for name, table, column, where in _INDEXES:
        only = sa.text(where)
        op.create_index(name, table, [column], if_not_exists=True, sqlite_where=only, postgresql_where=only)
    connection = op.get_bind()
    waiting = connection.execute(sa.select(_job.c.id, _job.c.payload).where(_job.c.kind == "profile.fetch")).all()
    for job, payload in waiting:
        identity = json.loads(payload)["identity"]
        whom = connection.execute(sa.select(_identity).where(_identity.c.id == identity)).mappings().one()
        told = {**whom, "identity": whom["id"]}
        del told["id"]
        connection.execute(_job.update().where(_job.c.id == job).values(payload=json.dumps(told)))
