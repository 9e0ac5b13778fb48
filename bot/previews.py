"""What a broadcast would come to, with all that sending knows of accounts, templates, allowances and money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from bot.allowances import Allowances
from bot.broadcasting import Sender
from bot.looks import Account, Look, Room
from bot.marketing import Gate
from bot.pace import Paces
from bot.registry import Registry
from bot.templates import Templates
from crm import broadcasts, previews, segments, times, unsent
from crm.content import Content
from crm.messages import Purpose
from crm.previews import Preview
from storage import accounts, spending
from storage.broadcasts import BroadcastView

_ENDLESS = 1 << 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A preview; what the month's budget leaves each account, in đồng, None without one; whether a second person must
    agree."""

    preview: Preview
    left: Mapping[Account, int] | None
    by_two: bool

    @property
    def least_left(self) -> int | None:
        """What the budget leaves the account that has least, in đồng; None without a budget."""
        return None if self.left is None else min(self.left.values(), default=0)


def estimate(
    session: Session, sender: Sender, broadcast: BroadcastView, now: datetime, at: datetime | None = None
) -> Estimate:
    """What would become of everybody in its segment if it began at this moment, else when it is scheduled, else now, or
    as soon after that as is lawful. Reads only; run it by `db.read`."""
    begins = sender.policy.hours.next_moment(max(at or broadcast.scheduled_at or now, now))
    frame = replace(sender.frame(now), now=begins)
    members = segments.members(session, segments.parse(broadcast.segment), frame)
    allowed = Allowances()
    allowed.read(session)
    room = {
        key: Room(pace.id, _ENDLESS, begins, timedelta())
        for key, pace in accounts.paces(session).items()
        if not (pace.held or pace.refused_since) and key[0] in sender.channels
    }
    look = Look(session, Registry(), sender.budget, allowed, room, begins, [])
    gate = Gate(sender.channels, Paces({}), look, begins)
    said, purpose = Content.loads(broadcast.content), Purpose(broadcast.purpose)
    found = previews.preview(session, members, broadcast.id, purpose, said, gate, sender.policy, begins)
    by_two = broadcasts.needs_second(broadcast, found.people, sender.alone)
    ceiling, start = sender.budget.ceiling, sender.budget.month(begins).start
    left = None if ceiling is None else {key: ceiling - spending.spent(session, *key, start) for key in room}
    return Estimate(found, left, by_two)


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
