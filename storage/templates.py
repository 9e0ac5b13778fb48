"""The registry of message templates that a platform approved, as it told of them last."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import insert, moment, serial
from storage.hot import Fetch
from storage.queue import set_rows


class TemplateRow(SQLModel, table=True):
    """One template of one account. A message names it by `template_id` and `language`; events may by `platform_id`.

    Prices are đồng a message. `reason` says why it may not be used, where the platform told; `gone` that the platform
    lists it no more.
    """

    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("channel", "account_id", "template_id", "language"),)

    id: int | None = serial()
    channel: str = Field(max_length=32)
    account_id: str = Field(max_length=64)
    template_id: str = Field(max_length=512)
    language: str = Field(max_length=16)
    platform_id: str = Field(max_length=64)
    name: str
    status: str = Field(max_length=16)
    quality: str = Field(max_length=16)
    tag: str = Field(max_length=16)
    parameters: str
    price_phone: int
    price_user: int
    text: str
    preview_url: str
    reason: str
    gone: bool
    synced_at: datetime = moment()
    changed_at: datetime = moment()


class TemplateView(NamedTuple):
    """A template as read; `parameters` are JSON."""

    id: int
    channel: str
    account_id: str
    template_id: str
    language: str
    platform_id: str
    name: str
    status: str
    quality: str
    tag: str
    parameters: str
    price_phone: int
    price_user: int
    text: str
    preview_url: str
    reason: str
    gone: bool
    synced_at: datetime
    changed_at: datetime


_template = TemplateRow.__table__  # type: ignore[attr-defined]
_VIEW = select(*(_template.c[name] for name in TemplateView._fields))
_ORDER = (_template.c.channel, _template.c.account_id, _template.c.name, _template.c.template_id, _template.c.language)

_EVERYONE = Fetch(lambda _among: _VIEW.order_by(*_ORDER))


def everyone(session: Session) -> list[TemplateView]:
    """All templates, those that are gone too, by account and name."""
    return [TemplateView._make(row) for row in _EVERYONE.rows(session.connection())]


def of_account(session: Session, channel: str, account_id: str) -> list[TemplateView]:
    """One account's templates, those that are gone too; locked until the transaction ends."""
    statement = _VIEW.where(_template.c.channel == channel, _template.c.account_id == account_id)
    rows = session.connection().execute(statement.order_by(_template.c.id).with_for_update())
    return [TemplateView._make(row) for row in rows]


def find(session: Session, channel: str, account_id: str, template_id: str, language: str) -> TemplateView | None:
    """The template that a message names so."""
    statement = _VIEW.where(
        _template.c.channel == channel,
        _template.c.account_id == account_id,
        _template.c.template_id == template_id,
        _template.c.language == language,
    )
    row = session.connection().execute(statement).first()
    return TemplateView._make(row) if row else None


def add_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make templates known; one that became known meanwhile is left as it is."""
    if rows:
        statement = insert(session.get_bind().dialect.name, _template).on_conflict_do_nothing()
        session.connection().execute(statement, list(rows))


def change_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the same columns of some templates, by `id`."""
    set_rows(session.connection(), _template, rows)


def mark_synced(session: Session, ids: Collection[int], now: datetime) -> None:
    """The platform told of these just now."""
    statement = update(_template).where(_template.c.id.in_(sorted(ids)))
    session.connection().execute(statement.values(synced_at=now))
