"""Tells staff of requests about personal data: when they come, and before the time runs out that the law leaves."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot.staff.context import CLI, Office
from bot.staff.promises import leads
from crm import notices, privacy, times
from crm.messages import Message
from crm.privacy import Request
from storage import customers
from storage.staff import StaffRow


def tell(session: Session, office: Office, now: datetime) -> None:
    """Tell leads what is due, each once: a request when it comes, the day before it must be answered, three days before
    it must be done, and when either was missed."""
    for request in privacy.due(session, now):
        for member in leads(session, now):
            _tell(session, office, request, member, now)
        privacy.noted(session, request, now)


def _tell(session: Session, office: Office, request: Request, member: StaffRow, now: datetime) -> None:
    person = customers.person(session, request.identity_id) if request.identity_id else None
    name = (person.customer_name or person.identity_name if person else "") or "khách"

    def say(number: int) -> Message:
        values = {
            "number": number, "request": request, "name": name, "late": privacy.is_late(request, now),
            "answer_by": times.near(request.answer_by or request.due_at, office.zone, now, office.locale),
            "due": times.near(request.due_at, office.zone, now, office.locale),
        }  # fmt: skip
        return office.templates.render("staff/data_request", office.locale, CLI, values)

    conversation_id = request.identity_id
    notices.tell(session, member.id, "privacy", say, now, conversation_id=conversation_id, interrupts=False)
