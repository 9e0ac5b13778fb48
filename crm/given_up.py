"""How much was given up that a person should look at."""

from __future__ import annotations

from sqlmodel import Session

from crm.messages import Purpose
from storage import inbox, jobs, outbox

MARKETING = frozenset(purpose.value for purpose in Purpose if purpose.is_marketing)
"""What is never sent again by itself, and whose failures stand in the reports of its broadcast or rule."""


def count(session: Session) -> int:
    """Events, jobs and messages that were given up; not care messages and broadcasts, of which some always fail."""
    return inbox.dead_count(session) + outbox.dead_count(session, MARKETING) + jobs.dead_count(session)
