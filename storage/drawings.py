"""Pictures that were drawn: which recipe gave which of our media, until they are old."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment
from storage.media import NAMED, Media, Upload
from storage.ready import ReadyText
from storage.tickets import TicketPhoto


class Drawing(SQLModel, table=True):
    """A recipe that was drawn. `recipe` is a hash of it and of whatever else the picture shows."""

    recipe: str = Field(primary_key=True, max_length=64)
    media_id: str = Field(foreign_key="media.id", max_length=64, index=True)
    drawn_at: datetime = moment(index=True)


_drawing = Drawing.__table__  # type: ignore[attr-defined]
_media = Media.__table__  # type: ignore[attr-defined]
_upload = Upload.__table__  # type: ignore[attr-defined]
_ready = ReadyText.__table__  # type: ignore[attr-defined]
_photo = TicketPhoto.__table__  # type: ignore[attr-defined]


def find(session: Session, recipe: str, since: datetime) -> str:
    """The id of the picture that this recipe gave, if it was drawn after this moment; else ""."""
    found = select(_drawing.c.media_id).where(_drawing.c.recipe == recipe, _drawing.c.drawn_at > since)
    return session.connection().execute(found).scalar() or ""


def note(session: Session, recipe: str, media_id: str, now: datetime) -> None:
    """This recipe gave this picture now."""
    values = {"media_id": media_id, "drawn_at": now}
    row = insert(session.get_bind().dialect.name, _drawing).values(recipe=recipe, **values)
    session.connection().execute(row.on_conflict_do_update(index_elements=["recipe"], set_=values))


def purge(session: Session, before: datetime, most: int) -> int:
    """Forget up to so many pictures that were drawn before this moment, with their copies; how many there were.

    Those that are kept for something else, too, stay.
    """
    old = select(_drawing.c.recipe, _drawing.c.media_id).where(_drawing.c.drawn_at <= before)
    rows = session.connection().execute(old.order_by(_drawing.c.drawn_at).limit(most)).all()
    recipes, pictures = [row[0] for row in rows], {row[1] for row in rows}
    session.connection().execute(delete(_drawing).where(_drawing.c.recipe.in_(recipes)))
    still = select(_drawing.c.media_id).where(_drawing.c.media_id.in_(pictures))
    gone = pictures - set(session.connection().execute(still).scalars())
    gone -= _used(session, gone)
    session.connection().execute(delete(_upload).where(_upload.c.media_id.in_(gone)))
    session.connection().execute(delete(_media).where(_media.c.id.in_(gone)))
    return len(rows)


def _used(session: Session, media_ids: Collection[str]) -> set[str]:
    """Those of these that a canned reply or a support request shows."""
    named = select(_ready.c.picture).where(_ready.c.picture.in_([f"{NAMED}{each}" for each in media_ids]))
    photos = select(_photo.c.media_id).where(_photo.c.media_id.in_(media_ids))
    canned = {each.removeprefix(NAMED) for each in session.connection().execute(named).scalars()}
    return canned | set(session.connection().execute(photos).scalars())
