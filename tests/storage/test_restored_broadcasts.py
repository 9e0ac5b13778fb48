"""What a restore does to broadcasts: what may have gone out since the backup does not go on by itself."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from crm import broadcasts
from crm.broadcasts import Pause
from crm.content import Content
from crm.messages import Purpose
from storage import doubt
from tests.crm import sending
from tests.storage.rows import NOW


def test_a_broadcast_that_ran_when_the_backup_was_made_waits_for_a_person(session: Session) -> None:
    running, later = (
        broadcasts.draft(session, "x", Purpose.BROADCAST, Content("a"), "tatca", "cli", NOW) for _ in "ab"
    )
    for each, at in ((running, NOW), (later, NOW + timedelta(days=1))):
        broadcasts.tested(session, each, NOW)
        broadcasts.schedule(session, each, at, "cli", NOW)
    sending.begin(session, running, NOW)
    doubt.restored(session, NOW + timedelta(hours=1))
    paused = broadcasts.get(session, running)
    assert (paused.state, paused.pause_reason, paused.resumes_at) == ("paused", Pause.RESTORED, None)
    assert broadcasts.get(session, later).state == "scheduled"
