"""The one door out: whether something may be said at all, and the row that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from crm import consent, templates
from crm.consent import Standing
from crm.messages import Message, Purpose, TemplateUse
from crm.reach import Refusal
from storage import outbox, transcripts
from storage.columns import NEVER, new_id
from storage.customers import Person
from storage.queue import WAITING
from storage.work import wake

AUTHORS = {Purpose.STAFF: "staff"}


def compose(
    person: Person,
    parts: Sequence[Message],
    purpose: Purpose,
    now: datetime,
    *,
    typed_by_person: bool = False,
    dedup_key: str | None = None,
    standing: Standing = Standing.NONE,
) -> list[dict[str, Any]] | Refusal:
    """The outbox rows of a message that its channel has split, in order; or why it must not go out.

    `standing` is how the customer stands to marketing like this.

    `dedup_key` names the business fact that it is about: the same fact is told once, however often this is called.
    """
    if person.unreachable_since is not None and purpose is not Purpose.REPLY:
        return Refusal.UNREACHABLE
    if purpose.is_marketing and person.staff_id is not None:
        return Refusal.NO_CONSENT
    if purpose.is_marketing and standing is not Standing.GRANTED:
        return Refusal.OPTED_OUT if standing is Standing.WITHDRAWN else Refusal.NO_CONSENT
    return [
        row(person, new_id(), part.dumps(), purpose, now)
        | {"typed_by_person": typed_by_person, "dedup_key": f"{dedup_key}:{number}" if dedup_key else None}
        for number, part in enumerate(parts)
    ]


def row(to: Person, outbox_id: int, body: str, purpose: Purpose, now: datetime) -> dict[str, Any]:
    """The outbox row of one message to this identity, as it waits for its turn."""
    return {
        "id": outbox_id, "identity_id": to.identity_id, "channel": to.channel, "account_id": to.account_id,
        "user_id": to.user_id, "purpose": purpose.value, "priority": purpose.priority, "typed_by_person": False,
        "body": body, "dedup_key": None, "state": WAITING, "ready_at": now, "attempts": 0, "error": "",
        "lease_owner": "", "lease_until": NEVER, "lease_token": 0, "lane": "", "resent": False, "message_id": "",
        "quota": "", "cost": 0, "created_at": now, "sent_at": None,
    }  # fmt: skip


def lines(rows: Sequence[Mapping[str, Any]], parts: Sequence[Message]) -> list[dict[str, Any]]:
    """The transcript lines of composed rows, under the same ids."""
    return [
        line(
            conversation_id=row["identity_id"],
            author=AUTHORS.get(Purpose(row["purpose"]), "bot"),
            text=part.text or part.reaction or "\n".join(card.title for card in part.cards),
            media=part.picture or part.file,
            at=row["created_at"],
            line_id=row["id"],
        )
        for row, part in zip(rows, parts, strict=True)
    ]


def line(
    *,
    conversation_id: int,
    author: str,
    text: str,
    at: datetime,
    media: str = "",
    message_id: str = "",
    reply_to: str = "",
    line_id: int | None = None,
) -> dict[str, Any]:
    """One transcript line as it is written."""
    return {
        "id": line_id or new_id(), "conversation_id": conversation_id, "author": author, "text": text, "media": media,
        "message_id": message_id, "reply_to": reply_to, "at": at, "revision": 0,
    }  # fmt: skip


def send(
    session: Session,
    person: Person,
    parts: Sequence[Message],
    purpose: Purpose,
    now: datetime,
    *,
    typed_by_person: bool = False,
    dedup_key: str | None = None,
) -> Refusal | None:
    """Compose and queue in this transaction; the refusal where it must not go out. Twice with one key says it once.

    A template that cannot be used now, or is not known yet, lets its message wait; values that do not fit are refused.
    """
    standing = Standing.NONE
    if purpose.is_marketing:
        asked = [person.customer_id]
        standing = consent.standing(session, asked, purpose, person.channel)[person.customer_id]
    rows = compose(person, parts, purpose, now, typed_by_person=typed_by_person, dedup_key=dedup_key, standing=standing)
    if isinstance(rows, Refusal):
        return rows
    if any(_is_unfit(session, person, part.template) for part in parts if part.template):
        return Refusal.BAD_VALUES
    outbox.add_many(session.connection(), rows)
    transcripts.add_messages(session, lines(rows, parts))
    wake(session, outbox.TOPIC)
    return None


def _is_unfit(session: Session, person: Person, use: TemplateUse) -> bool:
    known = templates.find(session, (person.channel, person.account_id, use.template_id, use.language))
    return known is not None and bool(templates.problems(known, dict(use.values)))
