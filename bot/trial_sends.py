"""A broadcast as customers would read it, sent to a member of staff first: without that it is not scheduled."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot.broadcasting import Sender
from bot.marketing import fitted
from crm import broadcasts, content, outbox, staff, templates
from crm.content import Content
from crm.errors import Conflict
from crm.messages import Message, Purpose
from crm.wording import Values
from storage import customers
from storage import staff as staff_rows


def send(session: Session, sender: Sender, broadcast_id: int, staff_id: int, now: datetime) -> int:
    """Let all chats of this member of staff get the broadcast, and note that it was tested; how many chats.

    A template is told in words, since it costs money. Raises Conflict where they have no chat, nothing fits there,
    or it has begun.
    """
    broadcast = broadcasts.to_test(session, broadcast_id)
    said, purpose = Content.loads(broadcast.content), Purpose(broadcast.purpose)
    values = content.values_of(staff.find(session, staff_id).name, 0, sender.policy.shop)
    told = 0
    messages = _messages(session, said, purpose, values)
    for row in staff_rows.chats(session, staff_id):
        chat = customers.person(session, row.identity_id)
        if chat is None or chat.channel not in sender.channels:
            continue
        fits = [fitted(sender.channels[chat.channel], each) for each in messages]
        parts = [each for each in fits if each is not None]
        if parts and outbox.send(session, chat, parts, Purpose.REPLY, now) is None:
            told += 1
    if not told:
        raise Conflict(
            "Bạn chưa có chat nào nhận được tin thử: ghép chat của bạn trước (khachquen staff pair).",
            "No chat of yours can get the test: pair one first (khachquen staff pair).",
        )
    broadcasts.tested(session, broadcast_id, now)
    return told


def _messages(session: Session, said: Content, purpose: Purpose, values: Values) -> list[Message]:
    """The text, then each template in words."""
    known = templates.everyone(session)
    found = [content.message(said, content.text(said, purpose, values))] if said.text else []
    for by in said.templates:
        template = next(
            (
                each
                for each in known
                if (each.channel, each.template_id, each.language) == (by.channel, by.template_id, by.language)
                and by.account_id in ("", each.account_id)
            ),
            None,
        )
        if template is not None:
            found.append(Message(templates.rendered(template, dict(content.use(by, values).values))))
    return found
