"""A message that cannot be said because another app or the platform's own inbox holds the conversation."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot import unasked
from bot.claims import Claimed
from crm import conversations
from crm.messages import Purpose
from storage import conversations as conversation_rows
from storage import customers, outbox
from storage.outbox import SENDING
from storage.queue import WAITING


def held(session: Session, item: Claimed, words: str, again_at: datetime, now: datetime) -> bool:
    """Note that the conversation is held elsewhere; False where the message was taken over meanwhile.

    What the bot had to answer is withdrawn, as when staff speak, and the customer waits for whoever holds it. Other
    messages wait until `again_at`.
    """
    due = item.due
    customers.lock_owners(session.connection(), [due.identity_id])
    waits = {"state": WAITING, "ready_at": again_at, "error": words}
    moved = (
        unasked.moved(session, item, waits, now)
        if item.recipient
        else outbox.move(session, due.id, SENDING, item.token, **waits)
    )
    if not moved:
        return False
    outbox.withdraw(session.connection(), {due.identity_id}, Purpose.REPLY)
    for row in conversation_rows.some(session, [due.identity_id]):
        state = conversations.go_elsewhere(conversations.state_of(row), now)
        if due.purpose == Purpose.REPLY:
            state = conversations.call_person(state, now)
        conversation_rows.set_conversations(session, [conversations.row_of(row.id, state)])
    return True
