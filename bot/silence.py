"""Notices that a platform fell silent: no webhook for hours in which this account normally has some."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.catchup import MARGIN
from bot.jobs import Payload, Work
from storage import accounts, alarms, catchup, doors, inbox
from storage.database import Database
from storage.doors import Door

log = logging.getLogger(__name__)

ALARM = "webhook_silent"
AT_LEAST = timedelta(hours=1)
AT_MOST = timedelta(hours=12)
DAYS = 7
KNOWN_DAYS = 3
"""So many days must be known until they say what is normal."""
NORMAL = 10
"""So many events at least must be usual for silence to mean anything."""
WORDS = (
    "No webhook came for {hours} h, although about {usual} come in these hours on other days. After an outage the "
    "platforms switch webhooks off. Zalo: developers.zalo.me, the app, Webhook: is the address right, are the events "
    "on? Messenger: developers.facebook.com, the app, Messenger: subscribe the Page again. Until then what customers "
    "write is read from the platform every 20 minutes."
)


class Silence:
    """The job that looks for accounts that fell silent."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {"webhooks.watch": self.watch}

    async def watch(self, payload: Payload) -> None:
        """Ring for accounts that are silent when they normally are not, and read what they may have missed."""
        now = self._clock()
        silent, rung = await self._database.read(lambda session: _look(session, now))
        if silent or rung:
            await self._database.write(lambda session: _note(session, silent, now), name="webhooks.watch")


def _look(session: Session, now: datetime) -> tuple[list[tuple[Door, int]], bool]:
    """The doors at which nobody knocked, with how often somebody normally does; and whether any alarm is open."""
    rung = {alarm.subject: alarm.since for alarm in alarms.unsolved(session) if alarm.kind == ALARM}
    found = []
    for door in doors.everyone(session):
        if door.heard_at is None or not accounts.is_connected(session, door.channel, door.account_id):
            continue
        since = _silent_since(door)
        usual = _usual(session, door, min(now - since, AT_MOST), now) if now - since >= AT_LEAST else 0
        still = _subject(door) in rung and door.heard_at <= rung[_subject(door)]
        if usual >= NORMAL or still:
            found.append((door, usual))
    return found, bool(rung)


def _silent_since(door: Door) -> datetime:
    return max(door.heard_at or door.open_since, door.open_since)


def _usual(session: Session, door: Door, span: timedelta, now: datetime) -> int:
    """How many events come in these hours on all but one of the last days, and on the same day of last week."""
    first = inbox.first_received(session, door.channel, door.account_id, now - timedelta(days=DAYS + 1))
    ends = [now - timedelta(days=number) for number in range(1, DAYS + 1)]
    counts = [
        inbox.received_between(session, door.channel, door.account_id, end - span, end)
        for end in ends
        if first is not None and first <= end - span
    ]
    if len(counts) < KNOWN_DAYS:
        return 0
    usual = sorted(counts)[1]
    return min(usual, counts[-1]) if len(counts) == DAYS else usual


def _note(session: Session, silent: list[tuple[Door, int]], now: datetime) -> None:
    """Ring, solve, and ask for what the silent ones may have missed."""
    for door, usual in silent:
        since = _silent_since(door)
        words = WORDS.format(hours=int((now - since) / timedelta(hours=1)), usual=usual)
        if usual >= NORMAL:
            alarms.ring(session, ALARM, _subject(door), words, now)
        last = catchup.find(session, door.channel, door.account_id)
        read_to = last.until - 2 * MARGIN if last and last.ended_at and not last.trouble else since
        catchup.ask(session, door.channel, door.account_id, max(since, read_to) - MARGIN, now + MARGIN, now)
    for subject in alarms.subjects(session, ALARM) - {_subject(door) for door, _ in silent}:
        alarms.solve(session, ALARM, subject, now)


def _subject(door: Door) -> str:
    return alarms.of_account(door.channel, door.account_id)
