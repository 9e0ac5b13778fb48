"""A broadcast that begins to be sent, whose time is never too late."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from crm import broadcast_clock, freezing
from crm.caps import Caps
from crm.lawful import LawfulHours
from crm.segments import AsOf
from crm.verdicts import Policy
from tests.crm.programme import ZONE

POLICY = Policy(Caps(0, 0), LawfulHours(ZONE))


def begin(
    session: Session, number: int, now: datetime, frame: AsOf | None = None, size: int = 100, alone: int = 0
) -> None:
    """Freeze the audience of one that is due, `size` customers at a time, so that it runs."""
    assert broadcast_clock.start(session, number, now, POLICY)
    planned = freezing.plan(session, number, frame or AsOf(now, ZONE))
    assert planned is not None
    while freezing.step(session, number, planned, size) is not None:
        pass
    broadcast_clock.frozen(session, number, "", now, POLICY, alone=alone)
