"""What a broadcast would come to, with all that sending knows of accounts, templates, allowances and money."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from bot import broadcasting
from bot.allowances import Allowances
from bot.broadcasting import Sender
from bot.looks import Account, Look, Room
from bot.marketing import Gate
from bot.pace import Paces
from bot.registry import Registry
from bot.templates import Templates
from crm import broadcast_versions, broadcasts, segments, times, unsent
from crm.content import Content
from crm.errors import Conflict
from crm.messages import Purpose
from crm.previews import Preview, Walk
from storage import accounts, spending
from storage.database import Database

_ENDLESS = 1 << 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A preview; what the month's budget leaves each account, in đồng, None without one; whether a second person must
    agree, and what they name then."""

    preview: Preview
    left: Mapping[Account, int] | None
    by_two: bool
    version: str

    @property
    def least_left(self) -> int | None:
        """What the budget leaves the account that has least, in đồng; None without a budget."""
        return None if self.left is None else min(self.left.values(), default=0)


class Looking:
    """What is under way of a look at a broadcast; each step is a short read of its own."""

    def __init__(self, session: Session, sender: Sender, broadcast_id: int, now: datetime, at: datetime | None) -> None:
        """As if it began at this moment, else when it is scheduled, else now, or as soon after that as is lawful.

        Raises CrmError where there is no such broadcast, or its segment names what is gone.
        """
        self._sender, self._broadcast = sender, broadcasts.get(session, broadcast_id)
        self._version = broadcast_versions.version(session, self._broadcast)
        begins = broadcasting.begins(sender, self._broadcast, now, at)
        frame = replace(sender.frame(now), now=begins)
        members = segments.members(session, segments.parse(self._broadcast.segment), frame)
        allowed = Allowances()
        allowed.read(session)
        self._room = {
            key: Room(pace.id, _ENDLESS, begins, timedelta())
            for key, pace in accounts.paces(session).items()
            if not (pace.held or pace.refused_since) and key[0] in sender.channels
        }
        self._look = Look(session, Registry(), sender.budget, allowed, self._room, begins, [])
        self._gate = Gate(sender.channels, Paces({}), self._look, begins)
        said, purpose = Content.loads(self._broadcast.content), Purpose(self._broadcast.purpose)
        self._walk = Walk(members, self._broadcast.id, purpose, said, sender.policy, begins)

    def step(self, session: Session) -> bool:
        """Look at some more people; False where nobody was left."""
        self._look.go_on(session)
        return self._walk.step(session, self._gate)

    def end(self, session: Session) -> Estimate:
        """What was found."""
        found, budget = self._walk.found(), self._sender.budget
        approved = broadcast_versions.as_approved(session, self._broadcast, found.people)
        by_two = broadcasts.needs_second(approved, found.people, self._sender.alone)
        version = broadcast_versions.seen(self._version, found.people)
        if budget.ceiling is None:
            return Estimate(found, None, by_two, version)
        start = budget.month(found.at).start
        left = {key: budget.ceiling - spending.spent(session, *key, start) for key in self._room}
        return Estimate(found, left, by_two, version)


async def estimate(
    database: Database,
    sender: Sender,
    broadcast_id: int,
    now: datetime,
    at: datetime | None = None,
    *,
    within: timedelta | None = None,
) -> Estimate:
    """What would become of everybody in a broadcast's segment, see `Looking`. Others read in between.

    Raises CrmError, also where it takes longer than `within`.
    """
    ends = time.monotonic() + within.total_seconds() if within is not None else float("inf")
    looking = await database.read_long(partial(Looking, sender=sender, broadcast_id=broadcast_id, now=now, at=at))
    while await database.read_long(looking.step):
        if time.monotonic() > ends:
            raise Conflict(
                f"Nhóm này quá đông để xem ngay; dùng /gui {broadcast_id} xem trong chat.",
                f"It is meant for too many to be looked at while you wait: khachquen broadcast preview {broadcast_id}.",
                field="broadcast",
            )
    return await database.read_long(looking.end)


def words(templates: Templates, found: Estimate, sender: Sender, now: datetime, locale: str) -> str:
    """An estimate as staff read it, with the three texts."""
    return templates.render("staff/estimate", locale, "cli", values(found, sender, now, locale)).text


def values(found: Estimate, sender: Sender, now: datetime, locale: str) -> dict[str, Any]:
    """What the template of an estimate is given."""
    at = times.told(found.preview.at, sender.zone, now, locale)
    skips, waits = (_told(each, locale) for each in (found.preview.skips, found.preview.waits))
    return {"found": found, "preview": found.preview, "at": at, "skips": skips, "waits": waits}


def _told(reasons: Counter[str], locale: str) -> list[tuple[str, int]]:
    return [(unsent.words(reason).of(locale), count) for reason, count in reasons.most_common()]
