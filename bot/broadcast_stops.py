"""Broadcasts that stopped by themselves: who wrote one is told why, and what can be done, once for each reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot import broadcast_notices, failures
from bot.breaker import RESTS
from crm import times
from crm.broadcast_states import ALARM, alarm_of, has_begun
from crm.broadcasts import Pause
from crm.care_rules import Words
from storage import alarms
from storage import broadcasts as store
from storage.broadcasts import BroadcastView

NEWS = frozenset(
    {
        Pause.QUOTA, Pause.BUDGET, Pause.TEMPLATE, Pause.LATE, Pause.UNFROZEN, Pause.ERRORS, Pause.APPROVAL,
        Pause.RESTORED,
    }
)  # fmt: skip
"""The reasons that are told: not those of minutes, nor the night, nor what somebody wished. A platform that takes
nothing is news when that has lasted."""
AGAIN = timedelta(days=1)
"""How long one that stops and goes on again and again, for one reason, is told no second time."""


def tell(session: Session, now: datetime, zone: ZoneInfo) -> None:
    """Ring for each broadcast that stopped since the last time, and tell who wrote it.

    The alarm ends when a person acts on the broadcast or it is over; where it goes on by itself, after a day.
    """
    living = store.living(session)
    rung = {each.subject: each.since for each in alarms.unsolved(session) if each.kind == ALARM}
    stopped = {alarm_of(each.id, each.pause_reason): each for each in living if _is_news(each, now)}
    for subject, each in stopped.items():
        if subject not in rung and alarms.ring(session, ALARM, subject, _rung(each), now):
            broadcast_notices.tell_writer(session, each, _told(each, zone, now), now)
    numbers = {each.id for each in living}
    over = [
        subject
        for subject, since in rung.items()
        if (subject not in stopped and since <= now - AGAIN) or _number(subject) not in numbers
    ]
    alarms.solve_many(session, ALARM, over, now)


def _is_news(each: BroadcastView, now: datetime) -> bool:
    if each.pause_reason == Pause.NOT_TAKEN:
        return each.resumes_at is not None and each.resumes_at > now + RESTS[1]
    return each.pause_reason in NEWS


def _number(subject: str) -> int:
    return int(subject.partition(":")[0])


def _rung(each: BroadcastView) -> str:
    why = failures.stopped(each).en
    return f"Broadcast {each.id} is paused: {why}. See how it stands: khachquen broadcast report {each.id}"


def _told(each: BroadcastView, zone: ZoneInfo, now: datetime) -> Words:
    why, number, name = failures.stopped(each), each.id, each.name
    vi = f"⚠ Tin gửi loạt #{number} “{name}” đã tạm dừng: {why.vi}."
    en = f"⚠ Broadcast {number} “{name}” is paused: {why.en}."
    if each.scheduled_at is not None and not has_begun(each):
        vi += f" Giờ hẹn: {times.told(each.scheduled_at, zone, now, 'vi')}."
        en += f" It was to begin at {times.told(each.scheduled_at, zone, now, 'en')}."
    if each.resumes_at is not None:
        vi += f" Tự gửi tiếp: {times.told(each.resumes_at, zone, now, 'vi')}."
        en += f" It goes on by itself at {times.told(each.resumes_at, zone, now, 'en')}."
    ways = _ways(each)
    return Words(f"{vi}\nXem: /gui {number} · {ways.vi}", f"{en}\nSee it: /broadcast {number} · {ways.en}")


def _ways(each: BroadcastView) -> Words:
    """What can be done with it now."""
    number = each.id
    vi, en = [f"hủy: /gui {number} huy"], [f"cancel: /broadcast {number} cancel"]
    if each.pause_reason == Pause.APPROVAL:
        return Words(
            " · ".join([f"người thứ hai duyệt: /gui {number} duyet", *vi]),
            " · ".join([f"a second person approves: /broadcast {number} approve", *en]),
        )
    if not has_begun(each):
        vi.insert(0, f"hẹn lại: /gui {number} hen 20h thứ 6")
        en.insert(0, f"another time: /broadcast {number} schedule 20h thứ 6")
        if each.pause_reason == Pause.UNFROZEN:
            vi.insert(0, f"sửa nhóm: /gui {number} nhom …")
            en.insert(0, f"another segment: /broadcast {number} segment …")
    return Words(
        " · ".join([f"gửi tiếp: /gui {number} tiep", *vi]), " · ".join([f"go on: /broadcast {number} resume", *en])
    )
