"""The alarm for a platform that fell silent: not at night, not on a quiet account, once, and over with a webhook."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.silence import Silence
from storage import accounts, alarms, catchup, doors, inbox
from storage.columns import hashed, id_at
from storage.database import Database
from storage.inbox import Arrival
from tests.conftest import Clock

KEY = ("zalo", "77")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def came(session: Session, moments: list[datetime]) -> None:
    """Events came at these moments, and their rows have the ids of then."""
    for at in moments:
        inbox.accept(session.connection(), [Arrival(*KEY, "1", at.isoformat(), at, at, b"{}", "")])
        renamed = text("UPDATE inbox SET id = :id WHERE dedup = :dedup")
        session.connection().execute(renamed, {"id": id_at(at), "dedup": hashed(*KEY, at.isoformat())})


async def with_days(database: Database, now: datetime, days: int, hours: range, *, heard: datetime) -> None:
    """An account to which somebody wrote every five minutes in these hours before now's, on so many days."""
    moments = [
        now - number * DAY - hour * HOUR - minutes * timedelta(minutes=5)
        for number in range(1, days + 1)
        for hour in hours
        for minutes in range(1, 13)
    ]

    def fill(session: Session) -> None:
        accounts.add(session, *KEY, now)
        doors.opened(session, [KEY], now - 9 * DAY, timedelta(seconds=10))
        doors.beat(session, [KEY], {KEY: heard}, now)
        came(session, moments)

    await database.write(fill)


async def rung(database: Database, clock: Clock) -> list[str]:
    """The alarms after a look."""
    await Silence(database, clock).watch({})
    return [alarm.subject for alarm in await database.read(alarms.unsolved) if alarm.kind == "webhook_silent"]


async def test_silence_in_busy_hours_rings_once_reads_the_platform_and_ends_with_a_webhook(
    database: Database, clock: Clock
) -> None:
    await with_days(database, clock(), 7, range(0, 3), heard=clock() - 2 * HOUR)
    assert await rung(database, clock) == ["zalo:77"]
    spans = await database.read(catchup.under_way)
    assert [(span.channel, span.account_id) for span in spans] == [KEY]
    assert spans[0].since <= clock() - 2 * HOUR
    assert await rung(database, clock) == ["zalo:77"]
    clock.now += timedelta(minutes=20)
    await database.write(lambda session: doors.beat(session, [KEY], {KEY: clock()}, clock()))
    assert await rung(database, clock) == []


async def test_an_hour_in_which_nobody_ever_writes_is_quiet(database: Database, clock: Clock) -> None:
    await with_days(database, clock(), 7, range(6, 12), heard=clock() - 4 * HOUR)
    assert await rung(database, clock) == []


async def test_a_night_that_was_silent_rings_once_the_morning_is_silent_too(database: Database, clock: Clock) -> None:
    await with_days(database, clock(), 7, range(8, 12), heard=clock() - 8 * HOUR)
    assert await rung(database, clock) == []
    await with_days(database, clock(), 7, range(0, 1), heard=clock() - 8 * HOUR)
    assert await rung(database, clock) == ["zalo:77"]


@pytest.mark.parametrize(("days", "heard"), [(2, 2 * HOUR), (7, HOUR / 2)])
async def test_what_is_not_known_for_long_or_only_just_silent_is_quiet(
    database: Database, clock: Clock, days: int, heard: timedelta
) -> None:
    await with_days(database, clock(), days, range(0, 3), heard=clock() - heard)
    assert await rung(database, clock) == []


async def test_the_hours_in_which_we_were_away_are_not_the_platforms_silence(database: Database, clock: Clock) -> None:
    await with_days(database, clock(), 7, range(0, 6), heard=clock() - 5 * HOUR)
    clock.now += HOUR
    await database.write(lambda session: doors.opened(session, [KEY], clock(), timedelta(seconds=10)) and None)
    clock.now += HOUR / 2
    assert await rung(database, clock) == []
