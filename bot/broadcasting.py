"""The shop as one that writes to many, and what is asked of its broadcasts alike on every surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot import audience, broadcast_notices
from bot.channels.base import Channel
from crm import broadcast_versions, broadcasts, segments
from crm.budget import Budget
from crm.care_preview import Driven
from crm.segments import AsOf
from crm.verdicts import Policy
from storage.broadcasts import BroadcastView
from storage.database import Database

ORDERS: Mapping[str, Callable[[Session, int, str, datetime], None]] = {
    broadcast_notices.UNSCHEDULE: broadcasts.unschedule, broadcast_notices.PAUSE: broadcasts.rest,
    broadcast_notices.CANCEL: broadcasts.cancel,
}  # fmt: skip
"""What staff and programs do with a broadcast that is to begin, or runs, beside letting it go on."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Over which channels, by which rules of the shop's own, for which money. Above `alone` people (0: never) two must
    agree."""

    channels: Mapping[str, Channel]
    policy: Policy
    budget: Budget
    alone: int
    zone: ZoneInfo
    locale: str

    def frame(self, now: datetime) -> AsOf:
        """What segments are read with at this moment."""
        return audience.as_of(now, self.zone, self.locale)

    def driven(self, now: datetime, until: datetime) -> Driven:
        """What a customer's care messages are foretold with, from now until then."""
        return Driven(now, until, self.policy.hours, self.frame(now), self.policy.shop)


def begins(sender: Sender, broadcast: BroadcastView, now: datetime, at: datetime | None = None) -> datetime:
    """When it could begin that is meant for this moment, else for when it is scheduled, else for now."""
    return sender.policy.hours.next_moment(max(at or broadcast.scheduled_at or now, now))


def people(session: Session, broadcast_id: int, sender: Sender, now: datetime, *, looked: bool = False) -> int:
    """How many are meant now, or who `looked` at it saw meant, by when it begins; for `db.read_long`, since they may be
    very many. Raises CrmError where the segment names what is not there."""
    broadcast, frame = broadcasts.get(session, broadcast_id), sender.frame(now)
    if looked:
        frame = replace(frame, now=begins(sender, broadcast, now))
    return segments.count(session, segments.parse(broadcast.segment), frame)


async def approve(
    database: Database, sender: Sender, broadcast_id: int, actor: str, now: datetime, version: str
) -> None:
    """A second person agrees with the version that they saw. Raises CrmError as `broadcasts.approve` does."""
    found = await database.read(partial(broadcasts.get, broadcast_id=broadcast_id))
    counts = broadcast_versions.people_in(version) is not None and found.frozen_at is None
    count = partial(people, broadcast_id=broadcast_id, sender=sender, now=now, looked=True)
    agree = partial(
        broadcasts.approve, broadcast_id=broadcast_id, actor=actor, now=now, version=version,
        people=await database.read_long(count) if counts else None,
    )  # fmt: skip
    await database.write(agree, name="broadcast.approve")


def schedule(
    session: Session, sender: Sender, broadcast_id: int, at: datetime, actor: str, now: datetime, people: int
) -> BroadcastView:
    """Let it begin at this moment; so many people were counted. Raises CrmError as `broadcasts.schedule` does."""
    hours = sender.policy.hours
    return broadcasts.schedule(session, broadcast_id, at, actor, now, people=people, alone=sender.alone, hours=hours)


def move(session: Session, sender: Sender, order: str, broadcast_id: int, actor: str, now: datetime) -> None:
    """Let it go on, or do one of `ORDERS` with it; who wrote it is told where it was somebody else. Raises CrmError as
    those do."""
    if order == broadcast_notices.RESUME:
        broadcasts.resume(session, broadcast_id, actor, now, alone=sender.alone)
    else:
        ORDERS[order](session, broadcast_id, actor, now)
    broadcast_notices.tell_moved(session, broadcasts.get(session, broadcast_id), order, actor, now)


def check(sender: Sender, broadcast: BroadcastView, at: datetime, now: datetime) -> None:
    """Raises CrmError where `schedule` would, however few people it is for."""
    broadcasts.check_schedule(broadcast, at, now, people=0, alone=sender.alone, hours=sender.policy.hours)
