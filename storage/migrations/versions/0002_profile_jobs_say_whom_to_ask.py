"""Let the jobs that fetch profiles say whom to ask about, so that nothing has to be read for them."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_job = sa.table("job", sa.column("id"), sa.column("kind"), sa.column("payload"))
_identity = sa.table("identity", *(sa.column(name) for name in ("id", "channel", "account_id", "user_id")))


def upgrade() -> None:
    connection = op.get_bind()
    waiting = connection.execute(sa.select(_job.c.id, _job.c.payload).where(_job.c.kind == "profile.fetch")).all()
    for job, payload in waiting:
        identity = json.loads(payload)["identity"]
        whom = connection.execute(sa.select(_identity).where(_identity.c.id == identity)).mappings().one()
        told = {**whom, "identity": whom["id"]}
        del told["id"]
        connection.execute(_job.update().where(_job.c.id == job).values(payload=json.dumps(told)))
