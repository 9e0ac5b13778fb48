"""What a member of staff is told of a customer who waits, in at most six lines: who, their words, what is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from bot.staff.context import CLI, Office
from crm import ledger, orders
from crm.calls import Step
from crm.messages import Message
from crm.notices import Say
from storage import transcripts
from storage.calls import CallRow
from storage.transcripts import Line

LINES = 30
"""How many lines of the transcript are looked at."""
WORDS = 3
"""How many of the customer's last lines are shown."""
BEFORE = timedelta(minutes=2)
"""What a customer wrote so long before they counted as waiting belongs to it: it was handled a little later."""


def say_of(session: Session, office: Office, call: CallRow, step: Step, owner: str, now: datetime) -> Say:
    """The notice about this customer, for whoever is told at this step."""
    values = _values(session, call, step, owner, now)

    def say(number: int) -> Message:
        return office.templates.render("staff/call", office.locale, CLI, {"number": number, **values})

    return say


def _values(session: Session, call: CallRow, step: Step, owner: str, now: datetime) -> dict[str, Any]:
    lines = transcripts.latest(session, call.id, LINES)
    since = call.waiting_since - BEFORE
    said = [line for line in lines if line.author == "customer"]
    new = [line for line in said if line.at >= since] or said[-1:]
    return {
        "name": call.name or "khách",
        "channel": call.channel,
        "minutes": int((now - call.waiting_since).total_seconds() // 60),
        "words": " / ".join(line.text or "📎" for line in new[-WORDS:]),
        "count": transcripts.count_said(session, call.id, since),
        "order": next(iter(orders.recent(session, call.customer_id, 1)), None),
        "points": ledger.holding(session, call.customer_id).spendable,
        "asked": _asked(lines, new),
        "reason": "woken" if call.is_woken else call.reason,
        "step": step.name.lower(),
        "owner": owner,
    }


def _asked(lines: Sequence[Line], new: Sequence[Line]) -> str:
    """The last thing that the bot asked before the customer's last words; "" where it asked nothing."""
    until = new[-1].at if new else None
    asked = [line.text for line in lines if line.author == "bot" and line.text.rstrip().endswith("?")
             and (until is None or line.at <= until)]  # fmt: skip
    return asked[-1] if asked else ""
