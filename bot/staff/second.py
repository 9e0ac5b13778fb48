"""Points that wait for a second person: those who may decide are told."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot.staff.context import CLI
from bot.templates import Templates
from crm import notices, staff
from crm.adjustments import Adjustment
from crm.staff import Permission


def call(
    session: Session, templates: Templates, locale: str, asked: Adjustment, name: str, by: str, now: datetime
) -> int:
    """Tell those who may decide and did not ask themselves: those on shift, where there are any. How many were told.

    `name` is the customer's, `by` who asked.
    """
    others = [
        each for each in staff.active(session)
        if f"staff:{each.id}" != asked.asked_by and staff.may(each, Permission.ADJUST_POINTS)
    ]  # fmt: skip
    there = [each for each in others if staff.is_on_shift(each, now)] or others
    message = templates.render("staff/points_wait", locale, CLI, {"name": name, "asked": asked, "by": by})
    for each in there:
        notices.tell(session, each.id, "points", lambda _: message, now, interrupts=False)
    return len(there)
