"""Tells staff when a promise to a customer is nearly used up or broken, and leads who was not content."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from bot.staff.context import CLI, Office
from crm import notices, ratings, sla, staff, tickets, times
from crm.messages import Message
from crm.sla import Due, Mark
from storage import attendance
from storage.ratings import RatingRow
from storage.staff import StaffRow

COMMENTED_WITHIN = timedelta(minutes=2)
"""A low score is told with what the customer adds to it so soon."""


def tell(session: Session, office: Office, now: datetime) -> None:
    """Tell what is due, each once.

    Of a promise: the owner when most of the time is used, and a lead, too, when all of it is. Of a low score: leads.
    """
    for rating in low_scores(session, now):
        ratings.alerted(session, rating.ticket_id)
        for member in leads(session, now):
            _tell_score(session, office, rating, member, now)
    for each in sla.due(session, now):
        if sla.mark(session, each, now):
            for member in _whom(session, each, now):
                _tell(session, office, each, member, now)


def low_scores(session: Session, now: datetime) -> list[RatingRow]:
    """Those of which leads are to be told now."""
    return [each for each in ratings.alerts(session) if each.alert_at and each.alert_at + COMMENTED_WITHIN <= now]


def leads(session: Session, now: datetime) -> list[StaffRow]:
    """Those on shift; all where none is."""
    everyone = staff.leads(session)
    return [each for each in everyone if staff.is_on_shift(each, now)] or everyone


def _whom(session: Session, due: Due, now: datetime) -> list[StaffRow]:
    """Its owner where they are on shift; leads on shift where there is none or it is too late, else all leads."""
    there = staff.on_shift(session, now)
    assigned = attendance.duty(session, due.clock.conversation_id).assigned_to
    owner = [each for each in there if each.id == assigned]
    if owner and due.mark is Mark.WARNED:
        return owner
    return list({each.id: each for each in (*owner, *leads(session, now))}.values())


def _tell(session: Session, office: Office, due: Due, member: StaffRow, now: datetime) -> None:
    clock = due.clock
    found = next(iter(attendance.some(session, [clock.conversation_id])), None)

    def say(number: int) -> Message:
        values = {
            "number": number, "ticket": clock.ticket_id, "name": found.name if found else "khách", "mark": due.mark,
            "kind": due.kind, "summary": clock.summary, "priority": clock.priority,
            "by": times.near(clock.due_at, office.zone, now, office.locale),
        }  # fmt: skip
        return office.templates.render("staff/promise", office.locale, CLI, values)

    conversation_id, ticket_id = clock.conversation_id, clock.ticket_id
    notices.tell(session, member.id, notices.PROMISE, say, now, conversation_id=conversation_id, ticket_id=ticket_id)


def _tell_score(session: Session, office: Office, rating: RatingRow, member: StaffRow, now: datetime) -> None:
    found = next(iter(attendance.some(session, [rating.conversation_id])), None)
    ticket = tickets.find(session, rating.ticket_id)

    def say(number: int) -> Message:
        values = {
            "number": number, "ticket": ticket.id, "name": found.name if found else "khách", "score": rating.score,
            "comment": rating.comment, "summary": ticket.summary,
        }  # fmt: skip
        return office.templates.render("staff/low_score", office.locale, CLI, values)

    notices.tell(session, member.id, "rating", say, now, conversation_id=rating.conversation_id, ticket_id=ticket.id)
