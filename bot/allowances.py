"""What the platforms let us send beyond free replies: kept as they tell it, rung for before it ends, held to after."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from prometheus_client import Gauge
from sqlmodel import Session

from bot.holds import Ring
from crm import broadcasts
from crm.allowances import Allowance
from crm.broadcasts import Pause
from crm.messages import Purpose
from crm.reach import Rules
from storage import alarms
from storage import allowances as store
from storage import holds as held_rows
from storage.allowances import AllowanceView, Shut

REMAIN = Gauge(
    "khachquen_allowance_remaining",
    "What is left of a platform's allowance, as it told last, by account and the platform's own name",
    ["channel", "account", "allowance"],
)

LOW = "allowance_low"
SPENT = "allowance_spent"
WAITS_FOR = "allowance of "
"""So the reason begins of what waits for one."""
FRESH_FOR_S = 5.0
SPARE = 128
"""What is left of an allowance is not counted upon when messages may be on their way that use it up."""

Key = tuple[str, str]
"""A channel, and the id of an OA or Page on it."""
_NOTHING: frozenset[str] = frozenset()


class Allowances:
    """What is known of all allowances, at most a few seconds old; read only when somebody asks."""

    def __init__(self) -> None:
        self._known: dict[Key, list[AllowanceView]] = {}
        self._shut: dict[Key, list[Shut]] = {}
        self._read_at = float("-inf")

    def read(self, session: Session) -> None:
        """Read all again where the last reading is a few seconds old."""
        now = time.monotonic()
        if now - self._read_at <= FRESH_FOR_S:
            return
        self._known, self._shut = {}, {}
        for each in store.everything(session):
            self._known.setdefault((each.channel, each.account_id), []).append(each)
        for lane in store.shut(session):
            self._shut.setdefault((lane.channel, lane.account_id), []).append(lane)
        self._read_at = now

    def forget(self) -> None:
        """Something changed just now: read again at the next question."""
        self._read_at = float("-inf")

    def paying(self, account: Key, now: datetime) -> frozenset[str]:
        """The names of an account's allowances that surely pay for one message more."""
        known = self._known.get(account)
        if not known:
            return _NOTHING
        return frozenset(each.name for each in known if each.remain > SPARE and _allowance(each).lasts(now))

    def shut(self, account: Key, lane: str, purpose: str, now: datetime) -> Shut | None:
        """What keeps a message of this purpose from taking this lane now."""
        for each in self._of(account, lane, purpose):
            if now < each.until:
                return each
        return None

    def was_shut(self, account: Key, lane: str, purpose: str) -> Sequence[Shut]:
        """What a message that went out by this lane proves to be open again."""
        return self._of(account, lane, purpose)

    def _of(self, account: Key, lane: str, purpose: str) -> Sequence[Shut]:
        rows = self._shut.get(account)
        if not rows:
            return ()
        is_marketing = Purpose(purpose).is_marketing
        return [each for each in rows if each.lane == lane and (is_marketing or not each.marketing)]


def note(session: Session, account: Key, told: Sequence[Allowance], now: datetime) -> None:
    """Keep what answers told of an account's allowances, and ring for those that come to their end."""
    store.note_many(session, [_row(account, each, now) for each in told])
    for each in told:
        _gauge(*account, each.name).set(each.remain)
        if each.is_low:
            alarms.ring(session, *_low(account, each), now)


def keep(session: Session, account: Key, told: Sequence[Allowance], rules: Rules, now: datetime) -> None:
    """Keep what a look at an account told: alarms of what is well again end, and lanes that are paid again open."""
    note(session, account, told, now)
    for each in told:
        if not each.is_low:
            alarms.solve(session, LOW, _low(account, each).subject, now)
    lasting = {each.name for each in told if each.lasts(now)}
    for lane in store.shut(session):
        if (lane.channel, lane.account_id) == account and lasting & set(rules.opened_by(lane.lane)):
            reopen(session, lane, now)


def resized(session: Session, account: Key, name: str, total: int, now: datetime) -> None:
    """An allowance grew or shrank; what is left of it shrinks with it at least."""
    known = next((each for each in store.everything(session) if (*account, name) == each[:3]), None)
    remain = total if known is None else min(known.remain, total)
    note(session, account, [Allowance(name, remain, total, known.ends_at if known else None)], now)


def shut(session: Session, lane: Shut, now: datetime) -> None:
    """The platform refused a message for lack of allowance: what goes the same way waits; ring."""
    store.shut_lane(session, lane)
    alarms.ring(session, *_spent(lane), now)


def reopen(session: Session, lane: Shut, now: datetime) -> None:
    """A lane is open again: what waits for it goes on, and its alarm ends. Broadcasts that were to rest for longer look
    at once who can go. May be called twice."""
    store.open_lane(session, lane)
    held_rows.release(session, lane.channel, lane.account_id, _reason(lane), now)
    alarms.solve(session, SPENT, _spent(lane).subject, now)
    if now < lane.until:
        broadcasts.look_again(session, Pause.QUOTA, now)


def lift(session: Session, now: datetime) -> None:
    """Forget lanes whose time is over and for which nothing waits any more."""
    for lane in store.shut(session):
        if lane.until <= now and not held_rows.is_held(session, lane.channel, lane.account_id, _reason(lane)):
            reopen(session, lane, now)


def held(lane: Shut) -> str:
    """The reason of a message that waits for this lane."""
    return f"{_reason(lane)}{lane.why}"


def _low(account: Key, each: Allowance) -> Ring:
    channel, account_id = account
    words = (
        f"Of the allowance {each.name} of {channel} {account_id} only {each.remain} are left: when they are used up, "
        "what it pays for costs money or waits. Whoever manages the account buys more, or sends less; free replies go "
        "on. khachquen account check shows the figures."
    )
    return Ring(LOW, f"{channel}:{account_id}:{each.name}", words)


def _spent(lane: Shut) -> Ring:
    whom = "marketing" if lane.marketing else "messages"
    words = (
        f"{lane.channel} takes no more {whom} of {lane.account_id} by the lane {lane.lane}: {lane.why}. They wait and "
        "are tried again by themselves; free replies go on."
    )
    kind = ":marketing" if lane.marketing else ""
    return Ring(SPENT, f"{lane.channel}:{lane.account_id}:{lane.lane}{kind}", words)


def _reason(lane: Shut) -> str:
    return f"{WAITS_FOR}{lane.lane}{' for marketing' if lane.marketing else ''}: "


def _allowance(view: AllowanceView) -> Allowance:
    return Allowance(view.name, view.remain, view.total, view.ends_at)


def _row(account: Key, each: Allowance, now: datetime) -> Mapping[str, object]:
    return {
        "channel": account[0], "account_id": account[1], "name": each.name, "remain": each.remain,
        "total": each.total, "ends_at": each.ends_at, "told_at": now,
    }  # fmt: skip


@cache
def _gauge(channel: str, account_id: str, name: str) -> Gauge:
    return REMAIN.labels(channel, account_id, name)
