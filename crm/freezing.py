"""The audience of a broadcast, frozen as of a moment in ranges of customers' ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.dialects.postgresql import Insert
from sqlmodel import Session

from crm import segments
from crm.segments import AsOf
from storage import broadcasts, recipients
from storage.broadcasts import FREEZING


class Plan(NamedTuple):
    """What freezes a segment as of a moment, range by range."""

    as_of: datetime
    statement: Insert


def plan(session: Session, broadcast_id: int, frame: AsOf) -> Plan | None:
    """What freezes its segment; None where it is not being frozen (any more).

    `frame` is what the segment is read with, whatever its moment. Raises CrmError where the segment names what is not
    there.
    """
    found = broadcasts.find(session, broadcast_id)
    if found is None or found.state != FREEZING or found.as_of is None:
        return None
    members = segments.members(session, segments.parse(found.segment), replace(frame, now=found.as_of))
    return Plan(found.as_of, recipients.freezing(session, found.id, found.purpose, members, found.as_of))


def step(session: Session, broadcast_id: int, planned: Plan, size: int) -> int | None:
    """Freeze the next range of customers, so many that are looked at; the cursor, or None where all are,
    or it was begun anew since this was planned.

    The cursor stands in the broadcast's own row and moves with what was frozen, so this may be done by two at once, and
    goes on after a kill.
    """
    found = broadcasts.hold(session, broadcast_id)
    if found is None or found.state != FREEZING or found.as_of != planned.as_of:
        return None
    until = recipients.next_bound(session, found.cursor, size)
    if until is None:
        return None
    new = recipients.freeze(session, planned.statement, found.cursor, until)
    broadcasts.advance(session, found.id, until, found.audience + new)
    return until
