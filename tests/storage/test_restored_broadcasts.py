"""What a restore does to broadcasts: what may have gone out since the backup does not go on by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from crm import broadcast_versions, broadcasts
from crm.broadcasts import Pause
from crm.content import Content
from crm.errors import Conflict
from crm.messages import Purpose
from storage import doubt
from tests.crm import sending
from tests.crm.people import born
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


def test_one_that_waited_for_a_second_person_when_the_backup_was_made_still_needs_them(session: Session) -> None:
    for number in range(3):
        born(session, NOW, user_id=f"u{number}")
    number = broadcasts.draft(session, "x", Purpose.BROADCAST, Content("a"), "tatca", "cli:Mai", NOW)
    broadcasts.tested(session, number, NOW)
    broadcasts.schedule(session, number, NOW, "cli:Mai", NOW)
    sending.begin(session, number, NOW, alone=2)
    assert broadcasts.get(session, number).pause_reason == Pause.APPROVAL
    doubt.restored(session, NOW + timedelta(hours=1))
    with pytest.raises(Conflict, match="second person"):
        broadcasts.resume(session, number, "cli:Mai", NOW, alone=2)
    seen = broadcast_versions.version(session, broadcasts.get(session, number))
    broadcasts.approve(session, number, "cli:Hoa", NOW, seen)
    assert broadcasts.get(session, number).state == "paused", "somebody decides whether it went out already"
    broadcasts.resume(session, number, "cli:Mai", NOW, alone=2)
    assert broadcasts.get(session, number).state == "running"
