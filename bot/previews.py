"""What a broadcast would come to, with all that sending knows of accounts, templates, allowances and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.allowances import Allowances
from bot.channels.base import Channel
from bot.looks import Account, Look, Room
from bot.marketing import Gate
from bot.pace import Paces
from bot.registry import Registry
from bot.templates import Templates
from crm import previews, segments, times
from crm.budget import Budget
from crm.content import Content
from crm.messages import Purpose
from crm.previews import Preview
from crm.segments import AsOf
from crm.verdicts import Policy
from storage import accounts, spending
from storage.broadcasts import BroadcastView

_ENDLESS = 1 << 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A preview, and what the month's budget leaves each account, in đồng; None without one."""

    preview: Preview
    left: Mapping[Account, int] | None


def estimate(
    session: Session,
    channels: Mapping[str, Channel],
    budget: Budget,
    policy: Policy,
    broadcast: BroadcastView,
    frame: AsOf,
) -> Estimate:
    """What would become of everybody in its segment if it began when it is scheduled, else at the frame's moment, or as
    soon after that as is lawful. Reads only; run it by `db.read`."""
    at = policy.hours.next_moment(max(broadcast.scheduled_at or frame.now, frame.now))
    members = segments.members(session, segments.parse(broadcast.segment), replace(frame, now=at))
    allowed = Allowances()
    allowed.read(session)
    room = {
        key: Room(pace.id, _ENDLESS, at, timedelta())
        for key, pace in accounts.paces(session).items()
        if not (pace.held or pace.refused_since) and key[0] in channels
    }
    look = Look(session, Registry(), budget, allowed, room, at, [])
    gate = Gate(channels, Paces({}), look, at)
    said, purpose = Content.loads(broadcast.content), Purpose(broadcast.purpose)
    found = previews.preview(session, members, broadcast.id, purpose, said, gate, policy, at)
    if budget.ceiling is None:
        return Estimate(found, None)
    start = budget.month(at).start
    return Estimate(found, {key: budget.ceiling - spending.spent(session, *key, start) for key in room})


def words(templates: Templates, found: Estimate, zone: ZoneInfo, now: datetime, locale: str) -> str:
    """An estimate as staff read it, with the three texts."""
    left = min(found.left.values(), default=0) if found.left is not None else None
    values = {"preview": found.preview, "left": left, "at": times.told(found.preview.at, zone, now, locale)}
    return templates.render("staff/estimate", locale, "cli", values).text
