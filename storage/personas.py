"""The names that a platform knows as speakers beside an account's own, and its ids of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment

LONGEST_NAME = 200


class Persona(SQLModel, table=True):
    """A name on an account. An empty `remote_id` means that the platform refused it: it is asked again at `until`."""

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    name: str = Field(primary_key=True, max_length=LONGEST_NAME)
    remote_id: str = Field(max_length=64)
    until: datetime | None = moment(nullable=True)


_persona: Any = Persona.__table__  # type: ignore[attr-defined]


def find(session: Session, channel: str, account_id: str, name: str, now: datetime) -> str | None:
    """The platform's id of a name on an account, "" where it refuses the name now; None where it is to be asked."""
    statement = select(_persona.c.remote_id, _persona.c.until).where(
        _persona.c.channel == channel, _persona.c.account_id == account_id, _persona.c.name == name
    )
    row = session.connection().execute(statement).first()
    return None if row is None or (row.until is not None and row.until <= now) else str(row.remote_id)


def note(
    session: Session, channel: str, account_id: str, name: str, remote_id: str, until: datetime | None = None
) -> None:
    """The platform gave a name this id; or, with "", refused it until then."""
    key = {"channel": channel, "account_id": account_id, "name": name}
    values = {"remote_id": remote_id, "until": until}
    row = insert(session.get_bind().dialect.name, _persona).values(**key, **values)
    session.connection().execute(row.on_conflict_do_update(index_elements=list(key), set_=values))
