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
