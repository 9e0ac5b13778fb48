"""What staff did, noted so that it can be looked up later."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from storage import audit as store


def note(
    session: Session,
    action: str,
    now: datetime,
    *,
    staff_id: int | None = None,
    surface: str = "",
    subject: str = "",
    subject_id: int | None = None,
    details: str = "",
) -> None:
    """Write down that somebody did this to that; `staff_id` is None for the owner on the command line.

    `details` are figures and ids, never what a customer or a member of staff wrote.
    """
    row = {
        "at": now, "staff_id": staff_id, "surface": surface, "action": action, "subject": subject,
        "subject_id": subject_id, "details": details,
    }  # fmt: skip
    store.add(session, row)


def by(
    session: Session,
    actor: str,
    surface: str,
    action: str,
    now: datetime,
    *,
    subject: str = "",
    subject_id: int | None = None,
    details: str = "",
) -> None:
    """The same of somebody whom `crm.staff.actor` named; who is not of the staff is named with the surface."""
    kind, _, who = actor.partition(":")
    staff_id = int(who) if kind == "staff" else None
    said = " ".join(each for each in (details, "" if staff_id is not None else f"by {who}") if each)
    note(
        session, action, now, staff_id=staff_id, surface=surface, subject=subject, subject_id=subject_id, details=said
    )  # fmt: skip
