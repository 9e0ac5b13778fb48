"""Pictures and files that we keep, by the hash of their bytes, and the ids of the copies that platforms hold."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import blob, insert, moment

NAMED = "media:"
"""How a message or a canned reply names one of these: `media:<id>`."""


class Media(SQLModel, table=True):
    """One picture or file. `id` is the SHA-256 of its bytes, in hex."""

    id: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=255)
    content_type: str = Field(max_length=128)
    content: bytes = blob()
    created_at: datetime = moment()


class Upload(SQLModel, table=True):
    """A copy that a platform holds for an account until a moment, under an id of its own."""

    channel: str = Field(primary_key=True, max_length=32)
    account_id: str = Field(primary_key=True, max_length=64)
    media_id: str = Field(primary_key=True, max_length=64, foreign_key="media.id")
    remote_id: str
    until: datetime = moment()


class Kept(NamedTuple):
    """A picture or file as it was kept."""

    name: str
    content_type: str
    content: bytes


_media: Any = Media.__table__  # type: ignore[attr-defined]
_upload: Any = Upload.__table__  # type: ignore[attr-defined]


def keep(session: Session, kept: Kept, now: datetime) -> str:
    """Keep a picture or file; its id. The same bytes are kept once, under the name and type they came with first."""
    media_id = hashlib.sha256(kept.content).hexdigest()
    row = insert(session.get_bind().dialect.name, _media).values(id=media_id, created_at=now, **kept._asdict())
    session.connection().execute(row.on_conflict_do_nothing(index_elements=["id"]))
    return media_id


def find(session: Session, media_id: str) -> Kept | None:
    """What is kept under this id."""
    columns = [_media.c[name] for name in Kept._fields]
    row = session.connection().execute(select(*columns).where(_media.c.id == media_id)).first()
    return Kept(*row) if row else None


def uploaded(session: Session, channel: str, account_id: str, media_id: str, now: datetime) -> str:
    """The platform's id of its copy, as long as it holds it; else ""."""
    found = select(_upload.c.remote_id).where(*_of(channel, account_id, media_id), _upload.c.until > now)
    return session.connection().execute(found).scalar() or ""


def note_upload(
    session: Session, channel: str, account_id: str, media_id: str, remote_id: str, until: datetime
) -> None:
    """A platform took a copy; an earlier one is forgotten."""
    key = {"channel": channel, "account_id": account_id, "media_id": media_id}
    values = {"remote_id": remote_id, "until": until}
    row = insert(session.get_bind().dialect.name, _upload).values(**key, **values)
    session.connection().execute(row.on_conflict_do_update(index_elements=list(key), set_=values))


def forget_upload(session: Session, channel: str, account_id: str, media_id: str) -> None:
    """The platform no longer holds its copy."""
    session.connection().execute(delete(_upload).where(*_of(channel, account_id, media_id)))


def _of(channel: str, account_id: str, media_id: str) -> tuple[Any, ...]:
    return _upload.c.channel == channel, _upload.c.account_id == account_id, _upload.c.media_id == media_id
