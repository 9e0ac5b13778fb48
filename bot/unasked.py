"""How a send ended that nobody asked for, on the message and on whom it was for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot import allowances, holds
from bot.claims import Claimed
from crm import broadcasts
from crm.broadcasts import Pause
from crm.verdicts import Why
from storage import outbox, recipients, transcripts
from storage.outbox import SENDING, UNKNOWN, WITHDRAWN
from storage.queue import DEAD, WAITING

HELD = "the account is held"
STALE = "taken too long ago"
LATE = "claimed too long ago to be sent"
"""Why the worker that sends gives a message back before it calls."""
_OURS = {
    allowances.WAITS_FOR: Pause.QUOTA, holds.WAITS_FOR: Pause.TEMPLATE, HELD: Pause.ACCOUNT, STALE: Why.PACE,
    LATE: Why.PACE,
}  # fmt: skip
"""How our own words for why a message waits begin, and the reason that is kept of its recipient."""


def _reason(error: str) -> str:
    """One of ours, or a platform's code, which stands before its words."""
    ours = next((reason for words, reason in _OURS.items() if error.startswith(words)), None)
    return ours or error.partition(":")[0][:64]


def moved(session: Session, item: Claimed, values: Mapping[str, Any], now: datetime) -> bool:
    """Change the message as `outbox.move` does, and its recipient with it; False where an echo was faster.

    One that was surely not taken does not wait in the outbox: it is withdrawn, and its recipient is due again later.
    That holds, too, where its sender was believed to be gone meanwhile.
    """
    due, state = item.due, values["state"]
    reason = _reason(str(values.get("error", "")))
    if state != WAITING:
        if not outbox.move(session, due.id, SENDING, item.token, **values):
            return False
        if state == DEAD:
            recipients.fail(session, due.id, reason)
        else:
            recipients.in_doubt(session, [due.id])
        return True
    withdrawn = {"state": WITHDRAWN, "error": values["error"], "sent_at": None, "cost": 0}
    if not any(outbox.move(session, due.id, before, item.token, **withdrawn) for before in (SENDING, UNKNOWN)):
        return False
    counted = values.get("attempts", due.attempts) > due.attempts
    recipients.back(session, due.id, values["ready_at"], reason, counted=counted)
    if item.broadcast:
        broadcasts.waits_again(session, item.broadcast, values["ready_at"], now)
    transcripts.remove(session, due.id)
    return True
